// riffle_ps7 - the accelerator on the bare processing system, for the open flow: no vendor IP
//
// Computes   FCLK0 and its reset, M_AXI_GP0 -> riffle -> S_AXI_HP0, interrupt -> IRQ_F2P[0]
// Contract   The processor's ports are AXI3: bursts of at most 16 beats, which riffle keeps on HP0, and write data that
//            follow their addresses in order, which GP0 keeps (WID is not looked at). All of GP0's range leads to riffle's
//            2 MB, again and again. No interrupt controller: PYNQ waits on this bitstream by polling.
module riffle_ps7 #(
    parameter int unsigned Rows            = 7,     // lattice
    parameter int unsigned Columns         = 7,
    parameter int unsigned ActivationDepth = 2048,  // words per bank
    parameter int unsigned WeightDepth     = 10752  // stream words of 128 bits
);
  logic [3:0] fclk, fclk_resetn;
  logic clk;
  BUFG u_bufg (.I(fclk[0]), .O(clk));

  // the reset comes whenever the processor likes: two registers bring it to the clock
  (* keep, ASYNC_REG = "TRUE" *) logic [1:0] resetn_q;
  always_ff @(posedge clk) resetn_q <= {resetn_q[0], fclk_resetn[0]};

  logic [31:0] awaddr, araddr, wdata, rdata, m_araddr;
  logic [11:0] awid, arid, bid, rid;
  logic [3:0] awlen, arlen, wstrb, m_arcache;
  logic [7:0] m_arlen;
  logic [2:0] m_arsize, m_arprot;
  logic [1:0] awsize, arsize, awburst, arburst, bresp, rresp, m_arburst, m_rresp;
  logic awvalid, awready, wvalid, wready, wlast, bvalid, bready, arvalid, arready, rvalid, rready, rlast;
  logic m_arid, m_arvalid, m_arready, m_rvalid, m_rready, m_rlast, interrupt;
  logic [5:0] m_rid;
  logic [63:0] m_rdata;

  PS7 u_ps7 (
      .FCLKCLK(fclk), .FCLKRESETN(fclk_resetn), .FCLKCLKTRIGN(4'b0), .IRQF2P({19'b0, interrupt}),
      .MAXIGP0ACLK(clk),
      .MAXIGP0AWADDR(awaddr), .MAXIGP0AWID(awid), .MAXIGP0AWLEN(awlen), .MAXIGP0AWSIZE(awsize), .MAXIGP0AWBURST(awburst),
      .MAXIGP0AWVALID(awvalid), .MAXIGP0AWREADY(awready),
      .MAXIGP0WDATA(wdata), .MAXIGP0WSTRB(wstrb), .MAXIGP0WLAST(wlast), .MAXIGP0WVALID(wvalid), .MAXIGP0WREADY(wready),
      .MAXIGP0BID(bid), .MAXIGP0BRESP(bresp), .MAXIGP0BVALID(bvalid), .MAXIGP0BREADY(bready),
      .MAXIGP0ARADDR(araddr), .MAXIGP0ARID(arid), .MAXIGP0ARLEN(arlen), .MAXIGP0ARSIZE(arsize), .MAXIGP0ARBURST(arburst),
      .MAXIGP0ARVALID(arvalid), .MAXIGP0ARREADY(arready),
      .MAXIGP0RDATA(rdata), .MAXIGP0RID(rid), .MAXIGP0RRESP(rresp), .MAXIGP0RLAST(rlast), .MAXIGP0RVALID(rvalid),
      .MAXIGP0RREADY(rready),
      .SAXIHP0ACLK(clk), .SAXIHP0RDISSUECAP1EN(1'b0), .SAXIHP0WRISSUECAP1EN(1'b0),
      .SAXIHP0ARADDR(m_araddr), .SAXIHP0ARID({5'b0, m_arid}), .SAXIHP0ARLEN(m_arlen[3:0]), .SAXIHP0ARSIZE(m_arsize[1:0]),
      .SAXIHP0ARBURST(m_arburst), .SAXIHP0ARCACHE(m_arcache), .SAXIHP0ARPROT(m_arprot), .SAXIHP0ARLOCK(2'b0),
      .SAXIHP0ARQOS(4'b0), .SAXIHP0ARVALID(m_arvalid), .SAXIHP0ARREADY(m_arready),
      .SAXIHP0RDATA(m_rdata), .SAXIHP0RID(m_rid), .SAXIHP0RRESP(m_rresp), .SAXIHP0RLAST(m_rlast),
      .SAXIHP0RVALID(m_rvalid), .SAXIHP0RREADY(m_rready),
      .SAXIHP0AWVALID(1'b0), .SAXIHP0WVALID(1'b0), .SAXIHP0WLAST(1'b0), .SAXIHP0BREADY(1'b1)
  );

  riffle #(
      .Rows(Rows), .Columns(Columns), .ActivationDepth(ActivationDepth), .WeightDepth(WeightDepth)
  ) u_riffle (
      .aclk(clk), .aresetn(resetn_q[1]),
      .s_axi_awid(awid), .s_axi_awaddr(awaddr[20:0]), .s_axi_awlen({4'b0, awlen}), .s_axi_awsize({1'b0, awsize}),
      .s_axi_awburst(awburst), .s_axi_awvalid(awvalid), .s_axi_awready(awready),
      .s_axi_wdata(wdata), .s_axi_wstrb(wstrb), .s_axi_wlast(wlast), .s_axi_wvalid(wvalid), .s_axi_wready(wready),
      .s_axi_bid(bid), .s_axi_bresp(bresp), .s_axi_bvalid(bvalid), .s_axi_bready(bready),
      .s_axi_arid(arid), .s_axi_araddr(araddr[20:0]), .s_axi_arlen({4'b0, arlen}), .s_axi_arsize({1'b0, arsize}),
      .s_axi_arburst(arburst), .s_axi_arvalid(arvalid), .s_axi_arready(arready),
      .s_axi_rid(rid), .s_axi_rdata(rdata), .s_axi_rresp(rresp), .s_axi_rlast(rlast), .s_axi_rvalid(rvalid),
      .s_axi_rready(rready),
      .m_axi_arid(m_arid), .m_axi_araddr(m_araddr), .m_axi_arlen(m_arlen), .m_axi_arsize(m_arsize),
      .m_axi_arburst(m_arburst), .m_axi_arcache(m_arcache), .m_axi_arprot(m_arprot), .m_axi_arvalid(m_arvalid),
      .m_axi_arready(m_arready), .m_axi_rid(m_rid[0]), .m_axi_rdata(m_rdata), .m_axi_rresp(m_rresp),
      .m_axi_rlast(m_rlast), .m_axi_rvalid(m_rvalid), .m_axi_rready(m_rready),
      .interrupt
  );
endmodule
