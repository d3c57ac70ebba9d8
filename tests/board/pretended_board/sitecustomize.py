"""Python that takes this computer for a PYNQ-Z2, where this folder is on PYTHONPATH (test_pretended_board.py).

PYNQ finds the simulated board as a real one: the architecture is armv7l, an overlay needs riffle.bit, .hwh and
manifest, and nobody is told that a model computes. $RIFFLE_PRETENDED_LOG gets a line for each bitstream and run.
Nothing is imported before the program does it: the order of imports is the program's.
"""

import importlib
import os
import sys
from importlib.machinery import PathFinder

os.environ.pop("XILINX_XRT", None)  # PYNQ would load its library
_name = os.uname()
os.uname = lambda: os.uname_result((*_name[:4], "armv7l"))  # platform.machine() and PYNQ ask it


def log(line):
    with open(os.environ["RIFFLE_PRETENDED_LOG"], "a") as file:
        print(line, file=file)


class Pretence:
    """Finds the modules below, and calls what stands beside each when it has been imported."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        if name not in AFTER:
            return None
        found = PathFinder.find_spec(name, path, target)
        execute = found.loader.exec_module

        def exec_module(module):
            execute(module)
            AFTER[name](module)
        found.loader.exec_module = exec_module
        return found


def pretend(device):
    spec = device.spec
    control = spec.SEGMENT_BASE + spec.REGISTERS["CTRL"]
    start = 1 << spec.REGISTER_FIELDS["CTRL"]["START"][0]

    class PretendedBoard(device.SimulatedBoard):
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
            if address == control and int(values[0]) & start:
                log("run")
            super().bus_write(address, values)


AFTER = {"riffle.board.simulated.device": pretend,
         # asks PYNQ for the board's name, without Riffle
         "pynq._cli.get_notebooks": lambda _: importlib.import_module("riffle.board.simulated.device")}
sys.meta_path.insert(0, Pretence)
