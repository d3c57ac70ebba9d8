// axi_slave - AXI4 slave, 32 bit, in front of the host bus
//
// Computes   each beat of a burst becomes one word access on the host bus; a write without strobes becomes none
// Contract   INCR and FIXED bursts of 1 to 256 beats of 1, 2 or 4 bytes. Other bursts and unaligned addresses are refused:
//            no access is made, every beat is taken or given, error_* tells code and offset. What was refused, here or
//            on the host bus, reads 0. With slverr_i it is answered with SLVERR, otherwise with OKAY: a write response is
//            SLVERR if any beat failed; each read beat has its own. Reads and writes take turns.
//            Host bus: req_valid_o is a pulse, the other fields stay until the one rsp_valid_i pulse that answers it;
//            req_strb_o are the bytes that are written, or asked for.
// Timing     a write beat every three cycles, a read beat every four, plus the cycles by which the target answers later
//            than one cycle after the request
module axi_slave #(
    parameter int unsigned AddrWidth = 21,  // bits, byte address
    parameter int unsigned IdWidth   = 12   // bits
) (
    input  logic                 clk_i,
    input  logic                 rst_ni,
    input  logic                 slverr_i,     // answer what is refused with SLVERR
    input  logic [  IdWidth-1:0] s_axi_awid,
    input  logic [AddrWidth-1:0] s_axi_awaddr,
    input  logic [          7:0] s_axi_awlen,
    input  logic [          2:0] s_axi_awsize,
    input  logic [          1:0] s_axi_awburst,
    input  logic                 s_axi_awvalid,
    output logic                 s_axi_awready,
    input  logic [         31:0] s_axi_wdata,
    input  logic [          3:0] s_axi_wstrb,
    input  logic                 s_axi_wlast,
    input  logic                 s_axi_wvalid,
    output logic                 s_axi_wready,
    output logic [  IdWidth-1:0] s_axi_bid,
    output logic [          1:0] s_axi_bresp,
    output logic                 s_axi_bvalid,
    input  logic                 s_axi_bready,
    input  logic [  IdWidth-1:0] s_axi_arid,
    input  logic [AddrWidth-1:0] s_axi_araddr,
    input  logic [          7:0] s_axi_arlen,
    input  logic [          2:0] s_axi_arsize,
    input  logic [          1:0] s_axi_arburst,
    input  logic                 s_axi_arvalid,
    output logic                 s_axi_arready,
    output logic [  IdWidth-1:0] s_axi_rid,
    output logic [         31:0] s_axi_rdata,
    output logic [          1:0] s_axi_rresp,
    output logic                 s_axi_rlast,
    output logic                 s_axi_rvalid,
    input  logic                 s_axi_rready,
    output logic                 req_valid_o,
    output logic                 req_write_o,
    output logic [AddrWidth-1:0] req_addr_o,   // multiple of 4
    output logic [         31:0] req_wdata_o,
    output logic [          3:0] req_strb_o,
    input  logic                 rsp_valid_i,
    input  logic [         31:0] rsp_rdata_i,
    input  logic [          7:0] rsp_error_i,  // 0: fine
    output logic                 error_valid_o,
    output logic [          7:0] error_code_o,
    output logic [AddrWidth-1:0] error_offset_o
);
  localparam logic [1:0] Fixed = 2'b00, Incr = 2'b01;
  localparam logic [1:0] Okay = 2'b00, SlvErr = 2'b10;

  typedef enum logic [1:0] {Idle, Write, Respond, Read} state_e;
  state_e state_q;
  logic turn_q;  // while idle: 1 offers to take a write, 0 a read

  // The burst under way
  logic [IdWidth-1:0] id_q;
  logic [AddrWidth-1:0] addr_q;   // next beat
  logic [AddrWidth-1:0] offset_q;  // beat on the host bus
  logic [7:0] left_q;             // beats after the next one
  logic [2:0] size_q;
  logic step_q;                   // INCR
  logic [7:0] refused_q;          // why no beat reaches the host bus; 0: they do
  logic fresh_q;                  // first cycle of the burst
  logic over_q;                   // no beat is left to begin
  logic waiting_q;                // for the host bus
  logic failed_q;

  function automatic logic [7:0] refusal(input logic [1:0] low, input logic [2:0] size, input logic [1:0] burst);
    if ((burst != Fixed && burst != Incr) || size > 3'd2) refusal = riffle_pkg::ErrBusBurst;
    else if ((size == 3'd2 && low != 2'd0) || (size == 3'd1 && low[0])) refusal = riffle_pkg::ErrBusMisaligned;
    else refusal = riffle_pkg::ErrNone;
  endfunction

  // Bytes that a beat of this size and address may touch
  logic [3:0] bytes, strobes;
  always_comb begin
    unique case (size_q[1:0])
      2'd0: bytes = 4'b0001 << addr_q[1:0];
      2'd1: bytes = addr_q[1] ? 4'b1100 : 4'b0011;
      default: bytes = 4'b1111;
    endcase
    strobes = s_axi_wstrb & bytes;
  end

  logic refused, bad_response, take_aw, take_ar, take_w, begin_read, request;
  assign refused = refused_q != riffle_pkg::ErrNone;
  assign bad_response = rsp_error_i != riffle_pkg::ErrNone;
  assign s_axi_awready = state_q == Idle && turn_q;
  assign s_axi_arready = state_q == Idle && !turn_q;
  assign s_axi_wready  = state_q == Write && !over_q && (!waiting_q || rsp_valid_i);
  assign take_aw = s_axi_awready && s_axi_awvalid;
  assign take_ar = s_axi_arready && s_axi_arvalid;
  assign take_w  = s_axi_wready && s_axi_wvalid;
  assign begin_read = state_q == Read && !over_q && !waiting_q && (!s_axi_rvalid || s_axi_rready);
  assign request = !refused && (begin_read || (take_w && strobes != '0));

  always_ff @(posedge clk_i) begin
    if (state_q == Idle) turn_q <= !turn_q;
    if (take_aw || take_ar) begin
      id_q      <= take_aw ? s_axi_awid : s_axi_arid;
      addr_q    <= take_aw ? s_axi_awaddr : s_axi_araddr;
      left_q    <= take_aw ? s_axi_awlen : s_axi_arlen;
      size_q    <= take_aw ? s_axi_awsize : s_axi_arsize;
      step_q    <= (take_aw ? s_axi_awburst : s_axi_arburst) == Incr;
      refused_q <= take_aw ? refusal(s_axi_awaddr[1:0], s_axi_awsize, s_axi_awburst)
                           : refusal(s_axi_araddr[1:0], s_axi_arsize, s_axi_arburst);
      over_q    <= 1'b0;
      failed_q  <= 1'b0;
    end
    fresh_q <= take_aw || take_ar;

    if (take_w || begin_read) begin
      offset_q    <= addr_q;
      req_write_o <= take_w;
      req_wdata_o <= s_axi_wdata;
      req_strb_o  <= take_w ? strobes : bytes;
      if (step_q) addr_q[11:0] <= addr_q[11:0] + (12'd1 << size_q);  // AXI: no burst crosses 4 KB
      left_q <= left_q - 8'd1;
      over_q <= left_q == '0;
    end
    req_valid_o <= request;
    waiting_q   <= request || (waiting_q && !rsp_valid_i);
    if (error_valid_o) failed_q <= 1'b1;

    // read channel: a beat of a refused burst is answered here
    if (s_axi_rready) s_axi_rvalid <= 1'b0;
    if ((rsp_valid_i && !req_write_o) || (begin_read && refused)) begin
      s_axi_rvalid <= 1'b1;
      s_axi_rdata  <= (refused || bad_response) ? '0 : rsp_rdata_i;
      s_axi_rresp  <= (slverr_i && (refused || bad_response)) ? SlvErr : Okay;
      s_axi_rlast  <= begin_read ? left_q == '0 : over_q;
    end

    unique case (state_q)
      Idle:    if (take_aw) state_q <= Write; else if (take_ar) state_q <= Read;
      Write:   if (over_q && !waiting_q) state_q <= Respond;
      Respond: if (s_axi_bready) state_q <= Idle;
      Read:    if (s_axi_rvalid && s_axi_rready && s_axi_rlast) state_q <= Idle;
    endcase

    if (!rst_ni) begin
      state_q      <= Idle;
      turn_q       <= 1'b0;
      fresh_q      <= 1'b0;
      waiting_q    <= 1'b0;
      req_valid_o  <= 1'b0;
      s_axi_rvalid <= 1'b0;
    end
  end

  assign req_addr_o   = {offset_q[AddrWidth-1:2], 2'b00};
  assign s_axi_rid    = id_q;
  assign s_axi_bid    = id_q;
  assign s_axi_bvalid = state_q == Respond;
  assign s_axi_bresp  = (slverr_i && failed_q) ? SlvErr : Okay;

  // A refused burst is reported once, in its first cycle; a failed access when it is answered
  assign error_valid_o  = (fresh_q && refused) || (rsp_valid_i && bad_response);
  assign error_code_o   = fresh_q ? refused_q : rsp_error_i;
  assign error_offset_o = fresh_q ? addr_q : offset_q;

  logic unused;
  assign unused = &{1'b0, s_axi_wlast};  // beats are counted: a wrong WLAST cannot hang the bus
endmodule
