"""A memory as a read master sees it: bursts are answered in order, each after a delay, with pauses between beats.

It sees no reset: what was asked for before one is answered after it.
"""

import random
from collections import defaultdict, deque
from dataclasses import dataclass

from cocotb.triggers import RisingEdge

BEAT = 8  # bytes
OKAY, SLVERR = 0, 2


@dataclass(frozen=True)
class Beat:
    """What the memory has to say about one address, and for whom."""

    address: int
    last: bool
    owner: object
    data: int


class BurstMemory:
    """Random contents, drawn where they are first read.

    Parameters
    ----------
    delay
        longest time from a burst's address to its first beat, cycles
    pause
        part of the cycles without a beat though one could come
    """

    def __init__(self, delay: int = 0, pause: float = 0.0):
        self.delay, self.pause = delay, pause
        self.contents = defaultdict(lambda: random.getrandbits(64))
        self._beats = deque()  # cycle from which it may come, beat

    def ask(self, cycle: int, address: int, beats: int, owner: object = None):
        """Takes the address of a burst.

        Raises
        ------
        AssertionError
            if it is not allowed: no address of a beat, or across a 4 KB boundary
        """
        end = address + BEAT * beats
        assert address % BEAT == 0, f"{address:#x} is not the address of a beat"
        assert address // 4096 == (end - 1) // 4096, f"{beats} beats from {address:#x} on cross a 4 KB boundary"
        due = cycle + 1 + random.randint(0, self.delay)
        for beat in range(address, end, BEAT):
            self._beats.append((due, Beat(beat, beat + BEAT == end, owner, self.contents[beat])))

    def answer(self, cycle: int) -> Beat | None:
        """The beat of this cycle, None: no beat."""
        if not self._beats or cycle < self._beats[0][0] or random.random() < self.pause:
            return None
        return self._beats.popleft()[1]

    def forget(self):
        """Drops all beats that have not come."""
        self._beats.clear()


class AxiMemory(BurstMemory):
    """The same on the ports `m_axi_*` of a module, with AXI's rules checked.

    Parameters
    ----------
    blocked
        part of the cycles in which no address is taken

    Attributes
    ----------
    fail_from
        addresses from here on are answered with SLVERR
    waiting
        bursts that were taken and not answered to the end
    """

    def __init__(self, dut, delay: int = 0, pause: float = 0.0, blocked: float = 0.0):
        super().__init__(delay, pause)
        self.dut, self.blocked, self.fail_from, self.waiting = dut, blocked, 1 << 32, 0
        for name in ("arready", "rid", "rdata", "rresp", "rlast", "rvalid"):
            getattr(dut, f"m_axi_{name}").value = 0

    def write(self, address: int, data: bytes):
        """Bytes from a multiple of 8 on; the last beat is filled up with zeros."""
        for offset in range(0, len(data), BEAT):
            self.contents[address + offset] = int.from_bytes(data[offset:offset + BEAT], "little")

    async def serve(self):
        """For ever, from the first clock edge on."""
        dut, cycle, shown, beat, offered, ready = self.dut, 0, None, None, None, False
        while True:
            beat = beat or self.answer(cycle)
            if beat is not offered:
                self.offer(beat)
            offered, was_ready, ready = beat, ready, random.random() >= self.blocked
            if ready != was_ready:
                dut.m_axi_arready.value = ready
            await RisingEdge(dut.aclk)  # what is read from here on is what the cycle that ends here had
            address = self.address() if dut.m_axi_arvalid.value else None
            assert shown in (None, address), f"{shown} was withdrawn or changed to {address} before it was taken"
            shown = None if ready else address
            if address and ready:
                self.ask(cycle, *address)
                self.waiting += 1
            if beat and dut.m_axi_rready.value:
                self.waiting -= beat.last
                beat = None
            cycle += 1

    def offer(self, beat: Beat | None):
        dut = self.dut
        dut.m_axi_rvalid.value = beat is not None
        dut.m_axi_rdata.value = beat.data if beat else random.getrandbits(64)
        dut.m_axi_rid.value = beat.owner if beat else random.getrandbits(1)
        dut.m_axi_rlast.value = beat.last if beat else random.getrandbits(1)
        dut.m_axi_rresp.value = (SLVERR if beat.address >= self.fail_from else OKAY) if beat else random.getrandbits(2)

    def address(self) -> tuple[int, int, int]:
        """Address, beats and ID of the burst that is asked for."""
        dut = self.dut
        assert (int(dut.m_axi_arsize.value), int(dut.m_axi_arburst.value)) == (3, 1), "8 bytes a beat, INCR"
        assert int(dut.m_axi_arlen.value) < 16, "AXI3 has bursts of 16 beats"
        return int(dut.m_axi_araddr.value), int(dut.m_axi_arlen.value) + 1, int(dut.m_axi_arid.value)
