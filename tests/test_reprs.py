"""What Jupyter shows of an object is one line, not its arrays."""

import riffle
from riffle.zoo import digits


def test_one_line_says_what_it_is():
    with riffle.open("numpy") as accelerator:
        accelerator.load("digits")
        result, program = accelerator.run(digits.held_out()[0][0]), accelerator.program
    assert repr(program) == (f"<Program: {program.name}, 28x28x3 to 10 scores, {len(program.descriptors)} descriptors, "
                             f"{program.stream.nbytes:,} bytes of weights, {program.cycles:,} cycles predicted>")
    assert repr(result) == f"<Result: label '{result.label}', {result.cycles:,} cycles ({result.milliseconds:.3f} ms)>"
    network = digits.network()
    assert repr(network) == f"<IntegerNetwork: {network.name}, {len(network.layers)} layers, 28x28x3 to 10 channels>"
    assert max(len(repr(one)) for one in (program, result, network)) < 160
