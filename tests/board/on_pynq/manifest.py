"""A bitstream and the manifest beside it, when PYNQ loads it: each overlay replaces the one before."""

import pytest

from cases import Case
from riffle.bitstream import hwh
from riffle.board import load_overlay, overlay
from riffle.board.simulated.device import SimulatedBoard
from riffle.errors import HardwareError
from sample_manifest import save_manifest


def test_manifest_vouches_for_the_bitstream(tmp_path, rng, monkeypatch):
    """Without one a warning; one that contradicts the files keeps them out; BUILD_HASH is what was loaded."""
    bitstream = tmp_path / "riffle.bit"
    bitstream.write_bytes(b"bits")
    hwh.write(bitstream.with_suffix(".hwh"))
    with pytest.warns(UserWarning, match="has no manifest riffle.json beside it.*Remedy: copy"):
        load_overlay(bitstream)
    monkeypatch.setattr(overlay, "simulated", lambda: None)  # as on a board, whose BUILD_HASH counts
    save_manifest(bitstream, build_hash="00000000")
    Case(load_overlay(bitstream).accelerator, rng).check()
    save_manifest(bitstream, build_hash="00000001")
    with pytest.raises(HardwareError, match="the FPGA holds build 00000000, .* says 00000001. Remedy: load it again"):
        load_overlay(bitstream)
    bitstream.write_bytes(b"other bits")
    monkeypatch.setattr(SimulatedBoard, "download", None)  # it would not get that far
    with pytest.raises(HardwareError, match="is not loaded.*riffle.bit is not the file that was built"):
        load_overlay(bitstream)
    monkeypatch.undo()
    Case(load_overlay().accelerator, rng).check()
