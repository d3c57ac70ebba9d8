// read_mux - two read masters on one AXI4 port, told apart by ID
//
// Computes   m_axi_ar*: the addresses of both clients, client 0 first, or client 1 only with only_1_i; answers go to the
//            client of their ID
// Contract   clients hold ar_valid_i and its fields until ar_ready_o, through a reset, too, and take every beat at once. There
//            is no reset: the memory has none, and an address that was taken must reach it.
// Timing     an address is on the bus one cycle after it was taken, one per cycle; answers pass through
// Reference  AMBA AXI4, transaction identifiers: bursts of one ID stay in order
module read_mux (
    input  logic              clk_i,
    input  logic              only_1_i,
    input  logic [ 1:0]       ar_valid_i,
    output logic [ 1:0]       ar_ready_o,
    input  logic [1:0][31:0]  ar_addr_i,
    input  logic [1:0][ 3:0]  ar_len_i,
    output logic [ 1:0]       r_valid_o,
    output logic              m_axi_arid,
    output logic [31:0]       m_axi_araddr,
    output logic [ 7:0]       m_axi_arlen,
    output logic [ 2:0]       m_axi_arsize,
    output logic [ 1:0]       m_axi_arburst,
    output logic [ 3:0]       m_axi_arcache,
    output logic [ 2:0]       m_axi_arprot,
    output logic              m_axi_arvalid,
    input  logic              m_axi_arready,
    input  logic              m_axi_rid,
    input  logic              m_axi_rvalid,
    output logic              m_axi_rready
);
  logic free, chosen;
  // verilator lint_off PROCASSINIT
  logic arvalid_q = 1'b0;  // from configuration, without reset
  // verilator lint_on PROCASSINIT
  logic [1:0] wanted;
  assign wanted     = {ar_valid_i[1], ar_valid_i[0] & ~only_1_i};
  assign free       = ~arvalid_q | m_axi_arready;
  assign chosen     = ~wanted[0];
  assign ar_ready_o = {2{free}} & wanted & {chosen, ~chosen};
  always_ff @(posedge clk_i) begin
    if (free) begin
      m_axi_arid   <= chosen;
      m_axi_araddr <= ar_addr_i[chosen];
      m_axi_arlen  <= {4'd0, ar_len_i[chosen]};
    end
    arvalid_q <= (|wanted) | ~free;
  end
  assign m_axi_arvalid = arvalid_q;
  assign m_axi_arsize  = 3'd3;     // 8 bytes
  assign m_axi_arburst = 2'd1;     // INCR
  assign m_axi_arcache = 4'b0011;  // normal, not cached: what an HP port is
  assign m_axi_arprot  = '0;
  assign r_valid_o     = {m_axi_rvalid & m_axi_rid, m_axi_rvalid & ~m_axi_rid};
  assign m_axi_rready  = 1'b1;     // there is room for everything that was asked for
endmodule
