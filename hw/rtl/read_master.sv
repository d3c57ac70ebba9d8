// read_master - AXI4 reads of 64-bit beats, several bursts in flight
//
// Computes   data_o: the beats of the requested bursts, in the order of the requests
// Contract   a request (address of a beat, beats - 1) is taken when req_valid_i and req_ready_o are high; it must not cross a
//            4 KB boundary. Data cannot be stopped: ask for what there is room for. After flush_i nothing that was asked for
//            before comes out, whenever the memory delivers it; requests of that cycle are not taken.
//            Reset is a flush: the memory is not reset with the fabric, so bursts stay counted and an address stays on the bus
//            until it is taken. Only configuration sets the count to 0; a beat that nobody asked for is dropped.
//            reading_o: bursts are in flight, wanted or not; it falls a cycle late
// Timing     address on the bus one cycle after the request; beats one cycle behind the bus
// Reference  AMBA AXI4, read channels; one ID, so that bursts return in order
module read_master #(
    parameter int unsigned Bursts = 8  // in flight
) (
    input  logic        clk_i,
    input  logic        rst_ni,
    input  logic        flush_i,
    output logic        reading_o,
    input  logic        req_valid_i,
    output logic        req_ready_o,
    input  logic [31:0] req_addr_i,
    input  logic [ 3:0] req_last_i,    // beats - 1
    output logic        data_valid_o,
    output logic [63:0] data_o,
    output logic        data_error_o,  // the memory answered with an error
    output logic [31:0] m_axi_araddr,
    output logic [ 3:0] m_axi_arlen,
    output logic        m_axi_arvalid,
    input  logic        m_axi_arready,
    input  logic [63:0] m_axi_rdata,
    input  logic [ 1:0] m_axi_rresp,
    input  logic        m_axi_rlast,
    input  logic        m_axi_rvalid
);
  localparam int unsigned CountWidth = $clog2(Bursts + 1);

  // bursts that were asked for and have not come back; of these the first stale_q are nobody's any more
  logic flush, take, back, some;
  logic [CountWidth-1:0] flying_d;
  // verilator lint_off PROCASSINIT
  logic arvalid_q = 1'b0;  // these three have the value of configuration, and no reset
  logic [CountWidth-1:0] flying_q = '0, stale_q = '0;
  // verilator lint_on PROCASSINIT
  assign flush         = flush_i | ~rst_ni;
  assign some          = flying_q != '0;
  assign req_ready_o   = ~flush & (~arvalid_q | m_axi_arready) & (flying_q != CountWidth'(Bursts));
  assign take          = req_valid_i & req_ready_o;
  assign back          = m_axi_rvalid & m_axi_rlast & some;
  assign flying_d      = flying_q + CountWidth'(take) - CountWidth'(back);
  assign m_axi_arvalid = arvalid_q;
  always_ff @(posedge clk_i) begin
    flying_q  <= flying_d;
    reading_o <= some | take;
    if (flush) stale_q <= flying_d;
    else if (back && stale_q != '0) stale_q <= stale_q - 1'b1;

    if (take) begin
      m_axi_araddr <= req_addr_i;
      m_axi_arlen  <= req_last_i;
    end
    arvalid_q <= take | (arvalid_q & ~m_axi_arready);

    data_valid_o <= m_axi_rvalid & some & (stale_q == '0) & ~flush;
    data_o       <= m_axi_rdata;
    data_error_o <= m_axi_rresp[1];
  end

  logic unused;
  assign unused = m_axi_rresp[0];  // OKAY or EXOKAY, SLVERR or DECERR
endmodule
