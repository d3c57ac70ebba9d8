// engine - the HLS engine with the ports of hw/rtl/engine.sv, so that the shell takes either
//
// Computes   what hls/kernels/engine.cpp does; riffle_engine is what Vitis HLS makes of it
// Contract   as hw/rtl/engine.sv. Watchdog, stop_i, hold_error_i and stream_error_i become the error code that the HLS
//            engine is asked to stop with; it asks at every phase and while it waits for weights. A cycle writes one
//            word, to several banks
// Timing     the HLS engine starts eight cycles after start_i, or after hold_i has fallen: the last write from outside
//            lands in them. CYCLES are clock cycles; BUSY, STARVED and the log are iterations of its loops, and BUSY and
//            STARVED appear at the end
// Reference  riffle.isa.emulator
module engine #(
    parameter int unsigned Rows            = 7,    // lattice
    parameter int unsigned Columns         = 7,
    parameter int unsigned ActivationDepth = 2048  // words per bank
) (
    input  logic         clk_i,
    input  logic         rst_ni,
    input  logic         start_i,
    input  logic         stop_i,
    input  logic         hold_i,
    input  logic [  7:0] hold_error_i,
    output logic         waiting_o,
    input  logic [  7:0] first_i,
    input  logic [  8:0] length_i,
    input  logic [  5:0] lane_i,
    input  logic [ 31:0] watchdog_i,
    output logic         busy_o,
    output logic         done_o,
    output logic [  7:0] error_o,
    output logic [ 31:0] error_info_o,
    output logic [  7:0] current_o,
    output logic [ 31:0] cycles_o,
    output logic [ 31:0] fed_o,
    output logic [ 31:0] starved_o,
    output logic [ 10:0] program_addr_o,
    input  logic [ 31:0] program_rdata_i,
    output logic         log_we_o,
    output logic [  9:0] log_addr_o,
    output logic [ 31:0] log_wdata_o,
    input  logic         stream_valid_i,
    output logic         stream_ready_o,
    input  logic [127:0] stream_data_i,
    input  logic         stream_end_i,
    input  logic [  7:0] stream_error_i,
    input  logic [ 23:0] stream_detail_i,
    output logic [3:0][$clog2(ActivationDepth)-1:0] act_raddr_o,
    input  logic [3:0][      Rows*Columns*8-1:0]    act_rdata_i,
    output logic [3:0]                              act_we_o,
    output logic [$clog2(ActivationDepth)-1:0]      act_waddr_o,
    output logic [Rows*Columns*8-1:0]               act_wdata_o
);
  localparam int unsigned Width = Rows * Columns * 8;
  localparam int unsigned AddrWidth = $clog2(ActivationDepth);
  localparam logic [3:0] QuietStart = 4'd8;  // cycles in which the activation ports are left alone

  // ------------------------------------------------------------------------------------------------ run
  logic ap_start_q, ap_done, ap_ready, error_vld, info_vld, current_vld, fed_vld, starved_vld;
  logic ended_q, bad_program;
  logic [3:0] quiet_q;
  logic [7:0] first_q, stop_q;
  logic [8:0] length_q;
  logic [5:0] lane_q;
  logic [23:0] detail_q;
  logic [31:0] watchdog_q;
  // verilator lint_off UNUSEDSIGNAL
  logic ap_idle;
  logic [31:0] error, current;  // their upper bits are 0
  logic cycles_vld;
  logic [31:0] cycles;          // iterations; clock cycles are counted here
  // verilator lint_on UNUSEDSIGNAL
  logic [31:0] info, fed, starved;
  always_ff @(posedge clk_i) begin
    done_o <= 1'b0;
    if (!busy_o && start_i) begin
      {busy_o, quiet_q, stop_q, detail_q, cycles_o, fed_o, starved_o} <= {1'b1, QuietStart, 128'd0};
      {first_q, length_q, lane_q, watchdog_q}                        <= {first_i, length_i, lane_i, watchdog_i};
      {waiting_o, current_o}                                         <= {1'b1, first_i};
    end
    if (busy_o) begin
      cycles_o   <= cycles_o + 32'd1;
      if (!hold_i || bad_program || stop_q != riffle_pkg::ErrNone) waiting_o <= 1'b0;
      quiet_q    <= (quiet_q == '0 || waiting_o) ? quiet_q : quiet_q - 4'd1;
      ap_start_q <= quiet_q == 4'd1 || (ap_start_q && !ap_ready);
      if (stop_q == riffle_pkg::ErrNone) begin
        if (stop_i) stop_q <= riffle_pkg::ErrAborted;
        else if (waiting_o && hold_error_i != '0) stop_q <= hold_error_i;
        else if (stream_error_i != '0) {stop_q, detail_q} <= {stream_error_i, stream_detail_i};
        else if (cycles_o >= watchdog_q) stop_q <= riffle_pkg::ErrWatchdog;
      end
      if (error_vld) error_o <= error[7:0];
      if (info_vld) error_info_o <= info;
      if (current_vld) current_o <= current[7:0];
      if (fed_vld) fed_o <= fed;
      if (starved_vld) starved_o <= starved;
      ended_q <= ap_done;  // the results may come with ap_done
      done_o  <= ended_q;
      if (ended_q && error_o == stop_q) error_info_o[31:8] <= detail_q;
      if (done_o) busy_o <= 1'b0;
    end
    if (!rst_ni) {busy_o, done_o, waiting_o, ap_start_q, ended_q} <= '0;
  end
  assign bad_program = length_q == '0 || 10'(first_q) + 10'(length_q) > 10'(riffle_pkg::Descriptors);

  // ------------------------------------------------------------------------------------------------ writes
  logic [3:0] we, write_ce;
  logic [3:0][AddrWidth-1:0] waddr;
  logic [3:0][Width-1:0] wdata;
  always_comb begin
    act_we_o = we & write_ce;
    {act_waddr_o, act_wdata_o} = {waddr[3], wdata[3]};
    for (int k = 2; k >= 0; k--) if (act_we_o[k]) {act_waddr_o, act_wdata_o} = {waddr[k], wdata[k]};
  end
`ifndef SYNTHESIS
  for (genvar k = 0; k < 4; k++) begin : gen_one_word
    one_word :
    assert property (@(posedge clk_i) disable iff (!rst_ni) act_we_o[k] |-> {waddr[k], wdata[k]} == {act_waddr_o, act_wdata_o});
  end
`endif

  // ------------------------------------------------------------------------------------------------ the HLS engine
  logic log_ce, log_we;
  assign log_we_o = log_ce & log_we;
  // verilator lint_off PINCONNECTEMPTY
  riffle_engine u_hls (
      .ap_clk(clk_i), .ap_rst(~rst_ni), .ap_start(ap_start_q), .ap_done(ap_done), .ap_idle(ap_idle), .ap_ready(ap_ready),
      .program_address0(program_addr_o), .program_ce0(), .program_q0(program_rdata_i),
      .cycle_log_address0(log_addr_o), .cycle_log_ce0(log_ce), .cycle_log_we0(log_we), .cycle_log_d0(log_wdata_o),
      .act_read_0_address0(act_raddr_o[0]), .act_read_0_ce0(), .act_read_0_q0(act_rdata_i[0]),
      .act_read_1_address0(act_raddr_o[1]), .act_read_1_ce0(), .act_read_1_q0(act_rdata_i[1]),
      .act_read_2_address0(act_raddr_o[2]), .act_read_2_ce0(), .act_read_2_q0(act_rdata_i[2]),
      .act_read_3_address0(act_raddr_o[3]), .act_read_3_ce0(), .act_read_3_q0(act_rdata_i[3]),
      .act_write_0_address0(waddr[0]), .act_write_0_ce0(write_ce[0]), .act_write_0_we0(we[0]), .act_write_0_d0(wdata[0]),
      .act_write_1_address0(waddr[1]), .act_write_1_ce0(write_ce[1]), .act_write_1_we0(we[1]), .act_write_1_d0(wdata[1]),
      .act_write_2_address0(waddr[2]), .act_write_2_ce0(write_ce[2]), .act_write_2_we0(we[2]), .act_write_2_d0(wdata[2]),
      .act_write_3_address0(waddr[3]), .act_write_3_ce0(write_ce[3]), .act_write_3_we0(we[3]), .act_write_3_d0(wdata[3]),
      .stream_dout(stream_data_i), .stream_empty_n(stream_valid_i & busy_o), .stream_read(stream_ready_o),
      .stream_end(stream_end_i), .stop(stop_q), .first(32'(first_q)), .count(32'(length_q)), .lane(32'(lane_q)),
      .watchdog('1), .error(error), .error_ap_vld(error_vld), .info(info), .info_ap_vld(info_vld), .current(current),
      .current_ap_vld(current_vld), .cycles(cycles), .cycles_ap_vld(cycles_vld), .fed(fed), .fed_ap_vld(fed_vld),
      .starved(starved), .starved_ap_vld(starved_vld)
  );
  // verilator lint_on PINCONNECTEMPTY
endmodule
