"""Python that takes this computer for a PYNQ-Z2, where this folder is on PYTHONPATH: tests/test_pretended_board.py.

PYNQ finds the simulated board as a real one: the architecture is armv7l, an overlay needs riffle.bit, .hwh and
manifest, and nobody is told that a model computes. $RIFFLE_PRETENDED_LOG gets a line for each bitstream and run.
"""

import os

os.environ.pop("XILINX_XRT", None)  # PYNQ would load its library
_name = os.uname()
os.uname = lambda: os.uname_result((*_name[:4], "armv7l"))  # platform.machine() and PYNQ ask it

from riffle import spec  # noqa: E402
from riffle.board.device import SimulatedBoard  # noqa: E402

CTRL, START = spec.SEGMENT_BASE + spec.REGISTERS["CTRL"], 1 << spec.REGISTER_FIELDS["CTRL"]["START"][0]

os.environ["XILINX_XRT"] = "/usr"  # as the profile scripts of the image leave it


def log(line):
    with open(os.environ["RIFFLE_PRETENDED_LOG"], "a") as file:
        print(line, file=file)


class PretendedBoard(SimulatedBoard):
    """The board, as far as Python can see."""

    _probe_priority_ = 40  # before PYNQ's own
    model = None

    @classmethod
    def _probe_(cls):
        return [cls()]

    def download(self, bitstream, parser=None):
        log(f"download {bitstream.bitfile_name}")
        super().download(bitstream, parser)

    def bus_write(self, address, values):
        if address == CTRL and int(values[0]) & START:
            log("run")
        super().bus_write(address, values)
