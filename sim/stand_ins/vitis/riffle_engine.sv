// riffle_engine - stand-in with the ports that Vitis HLS makes of hls/kernels/engine.cpp; no engine
//
// Computes   with a = program word 8 * first: word a of bank k, exclusive or the low half of the next stream word, goes to
//            address a + 1 of bank k; a is logged as the first of the descriptor's words; error 0. Asked to stop, it says so
// Timing     program data two cycles after the address, activations three, as the latencies of the interface say
module riffle_engine #(
    parameter int unsigned Width     = 48,
    parameter int unsigned AddrWidth = 8
) (
    input  logic                 ap_clk,
    input  logic                 ap_rst,
    input  logic                 ap_start,
    output logic                 ap_done,
    output logic                 ap_idle,
    output logic                 ap_ready,
    output logic [10:0]          program_address0,
    output logic                 program_ce0,
    input  logic [31:0]          program_q0,
    output logic [ 9:0]          cycle_log_address0,
    output logic                 cycle_log_ce0,
    output logic                 cycle_log_we0,
    output logic [31:0]          cycle_log_d0,
    output logic [AddrWidth-1:0] act_read_0_address0, act_read_1_address0, act_read_2_address0, act_read_3_address0,
    output logic                 act_read_0_ce0, act_read_1_ce0, act_read_2_ce0, act_read_3_ce0,
    input  logic [Width-1:0]     act_read_0_q0, act_read_1_q0, act_read_2_q0, act_read_3_q0,
    output logic [AddrWidth-1:0] act_write_0_address0, act_write_1_address0, act_write_2_address0, act_write_3_address0,
    output logic                 act_write_0_ce0, act_write_1_ce0, act_write_2_ce0, act_write_3_ce0,
    output logic                 act_write_0_we0, act_write_1_we0, act_write_2_we0, act_write_3_we0,
    output logic [Width-1:0]     act_write_0_d0, act_write_1_d0, act_write_2_d0, act_write_3_d0,
    input  logic [127:0]         stream_dout,
    input  logic                 stream_empty_n,
    output logic                 stream_read,
    input  logic                 stream_end,
    input  logic [ 7:0]          stop,
    input  logic [31:0]          first, count, lane, watchdog,
    output logic [31:0]          error, info, current, cycles, fed, starved,
    output logic                 error_ap_vld, info_ap_vld, current_ap_vld, cycles_ap_vld, fed_ap_vld, starved_ap_vld
);
  logic [4:0] step_q;
  logic [3:0] bank;
  logic [31:0] a_q, waited_q;
  logic [3:0][Width-1:0] word_q;
  logic [Width-1:0] mask_q, written;
  assign program_address0   = {first[7:0], 3'd0};
  assign program_ce0        = step_q == 1;
  assign {act_read_0_address0, act_read_1_address0, act_read_2_address0, act_read_3_address0} = {4{AddrWidth'(a_q)}};
  assign {act_read_0_ce0, act_read_1_ce0, act_read_2_ce0, act_read_3_ce0}                     = {4{step_q == 4}};
  assign stream_read        = step_q == 8 && stream_empty_n;
  assign bank               = (step_q >= 9 && step_q <= 12) ? 4'b0001 << (step_q - 9) : 4'b0;
  assign written            = word_q[2'(step_q - 9)] ^ mask_q;
  assign {act_write_3_ce0, act_write_2_ce0, act_write_1_ce0, act_write_0_ce0} = bank;
  assign {act_write_3_we0, act_write_2_we0, act_write_1_we0, act_write_0_we0} = bank;
  assign {act_write_0_d0, act_write_0_address0} = bank[0] ? {written, AddrWidth'(a_q + 1)} : '0;
  assign {act_write_1_d0, act_write_1_address0} = bank[1] ? {written, AddrWidth'(a_q + 1)} : '0;
  assign {act_write_2_d0, act_write_2_address0} = bank[2] ? {written, AddrWidth'(a_q + 1)} : '0;
  assign {act_write_3_d0, act_write_3_address0} = bank[3] ? {written, AddrWidth'(a_q + 1)} : '0;
  assign cycle_log_address0 = {first[7:0], 2'd0};
  assign {cycle_log_ce0, cycle_log_we0} = {2{step_q == 13}};
  assign cycle_log_d0       = a_q;
  assign ap_done            = step_q == 14;
  assign {ap_ready, ap_idle} = {ap_done, step_q == 0};
  assign {error_ap_vld, info_ap_vld, cycles_ap_vld, fed_ap_vld, starved_ap_vld} = {5{ap_done}};
  assign current_ap_vld     = step_q == 1;
  assign current            = first;
  assign error              = 32'(stop);
  assign info               = first;
  assign {cycles, fed, starved} = {32'd99, 32'd7, waited_q};
  always_ff @(posedge ap_clk) begin
    unique case (step_q)
      0: step_q <= 5'(ap_start);
      3: {step_q, a_q, waited_q} <= {5'd4, program_q0, 32'd0};
      7: {step_q, word_q} <= {5'd8, act_read_3_q0, act_read_2_q0, act_read_1_q0, act_read_0_q0};
      8:
      if (stop != '0) step_q <= 14;
      else if (stream_empty_n) {step_q, mask_q} <= {5'd9, stream_dout[Width-1:0]};
      else waited_q <= waited_q + 1;
      14: step_q <= '0;
      default: step_q <= step_q + 1;
    endcase
    if (ap_rst) step_q <= '0;
  end
endmodule
