"""Every ShuffleNet V1 of the paper's groups and scales at 224x224 with 1000 classes, on the Verilated accelerator."""

import numpy as np
import pytest

from riffle.compiler import CompileError, compile_network
from riffle.graph import reference
from riffle.zoo import catalogue

IMAGES = {(3, 1): 3, (8, 1): 3}  # one of the others
TOO_LARGE = {(8, 1.5): "stage2.unit2.reduce .* needs 2896 words of activation memory, the limit is 2048"}
TOLERANCE = 0.002  # of the cycles that the compiler predicts; weights that come late are not in them


@pytest.mark.parametrize("scale", [0.25, 0.5, 1, 1.5])
@pytest.mark.parametrize("groups", [1, 2, 3, 4, 8])
def test_shufflenet_v1(full_hardware, rng, groups, scale):
    """The scores are the reference's, bit by bit, and the cycles those of the model; what is too large is refused."""
    seed = int(rng.integers(1 << 31))
    network = catalogue.find(f"g{groups}-{scale}x-c1000", seed)
    if (groups, scale) in TOO_LARGE:
        with pytest.raises(CompileError, match=TOO_LARGE[groups, scale]):
            compile_network(network)
        return
    program = compile_network(network)
    full_hardware.load(program)
    for i in range(IMAGES.get((groups, scale), 1)):
        image = catalogue.sample_input(network, seed + i)
        result = full_hardware.run(image)
        np.testing.assert_array_equal(result.output, reference.run(network, image)[network.output])
        assert len(np.unique(result.output)) > 500, "the scores say nothing"
        print(f"g={groups} {scale}x: {result.cycles:,} cycles, model {program.cycles:,}, {result.starved:,} waiting")
        assert abs(result.cycles - program.cycles) <= TOLERANCE * program.cycles
