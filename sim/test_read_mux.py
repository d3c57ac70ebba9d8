"""read_mux: addresses of two clients on one port, stable until taken; answers to whom they belong."""

import random

import cocotb
from cocotb.triggers import RisingEdge

from cycles import begin
from runner import simulate


@cocotb.test()
async def both_clients_are_served(dut):
    await begin(dut, only_1_i=0, ar_valid_i=0, ar_addr_i=0, ar_len_i=0, m_axi_arready=0, m_axi_rid=0, m_axi_rvalid=0)
    asked, seen, waiting, shown, taken = ([], []), ([], []), [None, None], None, {0: 0, 1: 0}
    for cycle in range(4000):
        only = cycle // 500 % 2 == 1
        for c in range(2):
            if waiting[c] is None and random.random() < 0.5:
                waiting[c] = random.getrandbits(32), random.getrandbits(4)
        dut.only_1_i.value = only
        dut.ar_valid_i.value = sum((waiting[c] is not None) << c for c in range(2))
        dut.ar_addr_i.value = sum(waiting[c][0] << 32 * c for c in range(2) if waiting[c])
        dut.ar_len_i.value = sum(waiting[c][1] << 4 * c for c in range(2) if waiting[c])
        dut.m_axi_arready.value = random.random() < 0.6
        rid, rvalid = random.getrandbits(1), random.getrandbits(1)
        dut.m_axi_rid.value, dut.m_axi_rvalid.value = rid, rvalid
        await RisingEdge(dut.clk_i)
        assert int(dut.r_valid_o.value) == rvalid << rid and dut.m_axi_rready.value
        ready = int(dut.ar_ready_o.value)
        assert ready != 3, "one address a cycle"
        for c in range(2):
            if waiting[c] is not None and ready >> c & 1:
                assert c == 1 or not only, "client 0 waits with only_1_i"
                assert c == 0 or only or waiting[0] is None, "client 0 comes first"
                asked[c].append(waiting[c])
                waiting[c] = None
                taken[c] += 1
        if dut.m_axi_arvalid.value:
            now = int(dut.m_axi_arid.value), int(dut.m_axi_araddr.value), int(dut.m_axi_arlen.value)
            assert shown in (None, now), "an address changed before it was taken"
            shown = now
            if dut.m_axi_arready.value:
                seen[now[0]].append(now[1:])
                shown = None
        else:
            assert shown is None, "an address was withdrawn"
    for c in range(2):
        assert seen[c] == asked[c][:len(seen[c])] and len(asked[c]) - len(seen[c]) <= 1
    assert min(taken.values()) > 200
    assert (int(dut.m_axi_arsize.value), int(dut.m_axi_arburst.value)) == (3, 1)


def test_read_mux():
    simulate("read_mux", __file__)
