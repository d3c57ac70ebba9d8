"""Another bitstream while this one works: on its own, as the overlay of the other tests is invalid then."""

from riffle.board import load_overlay


def test_reads_end_before_the_overlay_is_loaded_again(board, case):
    """The memory goes on when the FPGA is configured; here nothing is, so what was held is seen to be quiet."""
    case.accelerator.load(case.program, "ddr", "ddr")
    case.accelerator.launch(0, len(case.program.records), image=case.image)
    for _ in range(2000):  # how soon depends on the hardware
        if board.accelerator.ddr_waiting:
            break
        board.accelerator.advance(1)
    assert board.accelerator.ddr_waiting, "nothing is in flight"
    again = load_overlay()
    assert not board.accelerator.ddr_waiting
    case.accelerator = again.accelerator
    case.check(reload=True)
