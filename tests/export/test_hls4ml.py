"""hls4ml: C simulations of converted networks against the reference, refusals, how hls4ml finds the layers."""

import subprocess
import sys

import numpy as np
import pytest

from riffle.export.hls4ml import ConversionError, convert, import_hls4ml
from riffle.export.hls4ml.register import HERE
from riffle.graph.integer_graph import Convolution, IntegerNetwork, MaxPool, Shuffle, Tensor
from riffle.graph.reference import input_tensor, run
from riffle.zoo import digits
from riffle.zoo.random_networks import random_input, random_unit
from sample_networks import Builder

pytestmark = pytest.mark.filterwarnings("ignore")  # hls4ml's own


def simulate(model, maps):
    """Outputs of the C simulation, int64 [N][values], for input tensors, int8 [N][C][H][W]."""
    model.compile()
    pixels = np.ascontiguousarray(np.asarray(maps).transpose(0, 2, 3, 1).astype(np.float32))
    return np.asarray(model.predict(pixels)).reshape(len(pixels), -1).astype(np.int64)


def check(network, folder, io_type, images):
    """Convert, simulate, compare; returns the classes of the model's layers."""
    model = convert(network, folder, io_type)
    found = simulate(model, [input_tensor(network, image) for image in images])
    expected = np.array([run(network, image)[network.output].transpose(1, 2, 0).reshape(-1) for image in images])
    assert (found == expected).all(), f"{(found != expected).sum()} of {expected.size} values differ"
    return [layer.class_name for layer in model.get_layers()]


@pytest.mark.parametrize("io_type", ["io_stream", "io_parallel"])
@pytest.mark.parametrize("groups", [2, 3, 4, 8])
def test_units(groups, io_type, tmp_path):
    kind = "stride2" if (groups in (2, 3)) == (io_type == "io_stream") else "residual"
    network = random_unit(groups, 3, kind, 0.25, size=(6, 4), zero_point=-100, seed=groups)
    layers = check(network, tmp_path, io_type, [random_input(network, seed) for seed in range(3)])
    assert "ChannelShuffle" not in layers, "the shuffle is a write address"
    assert ("SumPool3x3" in layers) == (kind == "stride2")


@pytest.mark.parametrize("io_type", ["io_stream", "io_parallel"])
def test_the_digits(io_type, tmp_path):
    images, _ = digits.held_out()
    check(digits.network(), tmp_path, io_type, images[:20])


def test_all_other_layers(tmp_path, rng):
    """Convolution with stride, max pool, inverse shuffle, a tensor of three parts that several layers read."""
    b = Builder(rng, 3, 12, 8)
    t = b.max_pool(b.convolution("image", 6, 3, stride=2))
    t = b.convolution(t, 12, groups=3, shuffle=Shuffle.inverse(12, 3))
    for number in range(3):
        b.convolution(t, 4, groups=2, output="whole", channels=12, out_channel=4 * number, name=f"part{number}",
                      shuffle=Shuffle.paper(4, 2))
    t = b.convolution("whole", 12, 3, groups=12)
    t = b.convolution(t, 12, residual="whole")
    b.head(t, 5)
    check(b.network(), tmp_path, "io_stream", [rng.integers(0, 256, (12, 8, 3), np.uint8) for _ in range(3)])


@pytest.mark.parametrize("io_type", ["io_stream", "io_parallel"])
def test_a_shuffle_on_its_own_and_in_front_of_a_convolution(io_type, tmp_path, rng):
    import_hls4ml()
    from hls4ml.backends import get_backend
    from hls4ml.model import ModelGraph
    shuffle, groups = Shuffle.paper(12, 3), 3
    weight, bias = rng.integers(-127, 128, (6, 4)), rng.integers(-999, 999, 6)
    layers = [{"name": "x", "class_name": "InputLayer", "input_shape": [2, 3, 12]},
              {"name": "s", "class_name": "ChannelShuffle", "inputs": ["x"], "n_pixels": 6, "n_out": 12,
               "modulus": shuffle.modulus, "step_low": shuffle.step_low, "step_high": shuffle.step_high},
              {"name": "c", "class_name": "GroupedPointwiseConv2D", "inputs": ["s"], "n_pixels": 6, "n_in": 12,
               "n_out": 6, "groups": groups, "weight_data": weight.astype(float), "bias_data": bias.astype(float)}]
    precision = {"result": "ap_int<25>", "weight": "ap_int<8>", "bias": "ap_int<25>", "accum": "ap_int<25>"}
    config = get_backend("Vitis").create_initial_config(part="xc7z020clg400-1", io_type=io_type)
    model = {"Precision": {"default": "ap_int<8>"}, "ReuseFactor": 1, "Strategy": "Latency", "BramFactor": 10**9,
             "TraceOutput": False}
    config |= {"OutputDir": str(tmp_path), "ProjectName": "two", "Backend": "Vitis",
               "HLSConfig": {"Model": model, "LayerName": {"c": {"Precision": precision}}}}
    graph = ModelGraph.from_layer_list(config, layers, ["x"], ["c"])
    assert [layer.class_name for layer in graph.get_layers()][1] == "ChannelShuffle"
    maps = rng.integers(-128, 128, (4, 12, 2, 3))
    shuffled = np.empty_like(maps)
    shuffled[:, shuffle.positions(12)] = maps
    sums = np.einsum("goi,ngihw->nhwgo", weight.reshape(3, 2, 4), shuffled.reshape(4, 3, 4, 2, 3)).reshape(4, 2, 3, 6)
    assert (simulate(graph, maps) == (sums + bias).reshape(4, -1)).all()


def one_layer(**changes):
    """A network of one convolution, 4 channels to 4."""
    fields = {"weight": np.ones((4, 4, 1, 1), np.int8), "groups": 1, "stride": 1} | changes
    channels = len(fields["weight"])
    layer = Convolution("odd", "image", "out", bias=np.zeros(channels, np.int32),
                        multiplier=np.ones(channels, np.int32), shift=np.full(channels, 16, np.int32), **fields)
    size = 4 // fields["stride"]
    tensors = {"image": Tensor(4, 4, 4), "out": Tensor(changes.get("out_channel", 0) + channels, size, size)}
    return IntegerNetwork("one", "image", tensors, [layer])


@pytest.mark.parametrize("changes, message", [
    ({"stride": 2}, "layer odd is a 1x1 convolution with stride 2"),
    ({"weight": np.ones((4, 2, 3, 3), np.int8), "groups": 2},
     "layer odd is a 3x3 convolution of 4 to 4 channels in 2 groups"),
    ({"shuffle": Shuffle(2, 1, 3)}, "layer odd shuffles 4 channels by 2, 1, 3"),
    ({"shuffle": Shuffle(2, 2, 1), "residual": "image"}, "layer odd adds image to shuffled"),
    ({"out_channel": 2}, "reads out, whose channel 0 is made twice or never"),
])
def test_refusals_name_the_layer(changes, message, tmp_path):
    with pytest.raises(ConversionError, match=message):
        convert(one_layer(**changes), tmp_path / "project")
    assert not (tmp_path / "project").exists()


def test_refusal_of_unknown_layers_and_types(tmp_path):
    class Odd(MaxPool):
        """No layer of ours."""
    tensors = {"image": Tensor(4, 4, 4), "out": Tensor(4, 2, 2)}
    network = IntegerNetwork("one", "image", tensors, [Odd("odd", "image", "out")])
    with pytest.raises(ConversionError, match="layer odd is a Odd, which has no counterpart"):
        convert(network, tmp_path)
    with pytest.raises(ConversionError, match="io_type is 'io_bad'"):
        convert(one_layer(), tmp_path, "io_bad")


def test_the_command_writes_a_project_with_weights(tmp_path):
    command = [sys.executable, "-c", "from riffle.cli import main; main()", "hls4ml", "digits", "-o",
               str(tmp_path / "project")]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    project = tmp_path / "project"
    assert "xc7z020clg400-1" in (project / "project.tcl").read_text()
    assert (project / "build_prj.tcl").exists() and (project / "firmware" / "nnet_utils" / "requantise.hpp").exists()
    weights = "".join(path.read_text() for path in (project / "firmware" / "weights").glob("w*.txt"))
    network = digits.network()
    convolutions = [layer for layer in network.layers if getattr(layer, "kind", "convolution") == "convolution"]
    assert weights.count(",") + len(list((project / "firmware" / "weights").glob("w*.txt"))) == sum(
        layer.weight.size for layer in convolutions if hasattr(layer, "weight"))


def test_a_bare_import_of_hls4ml_knows_the_layers():
    code = ("import hls4ml; from hls4ml.model.layers import layer_map; "
            "assert {'GroupedPointwiseConv2D', 'ChannelShuffle', 'Requantise'} <= set(layer_map)")
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.returncode == 0 and "WARNING" not in result.stdout, result.stdout + result.stderr


@pytest.mark.parametrize("standard", ["c++11", "c++14"])
def test_headers_compile_as_vitis_is_told_to(standard, tmp_path):
    """hls4ml's scripts ask Vitis HLS for C++11."""
    from hls_native import ap_types
    utils = ap_types().parent / "nnet_utils"
    source = tmp_path / "all.cpp"
    source.write_text("".join(f'#include "{path}"\n' for path in sorted(HERE.glob("*.h"))))
    subprocess.run(["g++", f"-std={standard}", "-fsyntax-only", "-Wall", "-Wextra", "-Werror", "-Wno-unknown-pragmas",
                    "-Wno-unused-label", f"-I{HERE / 'include' / 'riffle'}", "-isystem", str(ap_types()), "-isystem",
                    str(utils), str(source)], check=True)
