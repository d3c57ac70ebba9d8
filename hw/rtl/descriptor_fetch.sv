// descriptor_fetch - read a descriptor from the program memory and judge it
//
// Computes   descriptor_o = the eight words at index_i; error_o (a code of riffle_pkg, 0 fine) and error_detail_o
// Contract   fetch_i (a pulse) begins, and drops what was there; valid_o is high from then on until the next fetch_i
// Timing     valid_o 12 cycles after fetch_i; program memory answers two cycles after the address
// Reference  riffle.isa.emulator.contradiction
module descriptor_fetch (
    input  logic                    clk_i,
    input  logic                    rst_ni,
    input  logic                    fetch_i,
    input  logic [ 7:0]             index_i,
    output logic [10:0]             program_addr_o,
    input  logic [31:0]             program_rdata_i,
    output logic                    valid_o,
    output riffle_pkg::descriptor_t descriptor_o,
    output logic [ 7:0]             error_o,
    output logic [ 3:0]             error_detail_o
);
  logic [3:0] cycle_q;  // 0 idle; counts from fetch_i on
  logic [7:0][31:0] words_q;
  assign descriptor_o = words_q;

  always_ff @(posedge clk_i) begin
    if (fetch_i) begin
      cycle_q        <= 4'd1;
      program_addr_o <= {index_i, 3'd0};
      valid_o        <= 1'b0;
    end else if (cycle_q != '0) begin
      cycle_q             <= cycle_q == 4'd11 ? '0 : cycle_q + 4'd1;
      program_addr_o[2:0] <= program_addr_o[2:0] + 3'd1;
      valid_o             <= cycle_q == 4'd11;
    end
    // address in cycle 1, its word in cycle 3
    if (cycle_q >= 4'd3 && cycle_q <= 4'd10) words_q <= {program_rdata_i, words_q[7:1]};
    if (!rst_ni) {cycle_q, valid_o} <= '0;
  end

  logic conv, pool, average, bad_size, bad_flags, bad_residual, bad_max, bad_average, bad_pool;
  logic [15:0] blocks_max;
  assign conv       = descriptor_o.opcode == riffle_pkg::OpConv;
  assign average    = descriptor_o.opcode == riffle_pkg::OpGlobalAverage;
  assign pool       = average || descriptor_o.opcode == riffle_pkg::OpMaxpool;
  assign blocks_max = 16'(descriptor_o.paired ? riffle_pkg::PairWeightsMax / 5 : descriptor_o.taps9 ? riffle_pkg::PairWeightsMax / 9 :
                          descriptor_o.taps4 ? riffle_pkg::PairWeightsMax / 4 : riffle_pkg::PairWeightsMax);
  assign bad_size = descriptor_o.log2s > 3'(riffle_pkg::Log2sMax) || descriptor_o.blocks == '0 || descriptor_o.groups == '0 ||
                    descriptor_o.group_outputs == '0 || descriptor_o.remainder >= descriptor_o.modulus ||
                    (descriptor_o.stride2 && descriptor_o.log2s == '0) || (conv && descriptor_o.blocks > blocks_max);
  assign bad_flags = (descriptor_o.paired & ~descriptor_o.taps9) | (descriptor_o.raw & descriptor_o.duplicate) |
                     (descriptor_o.taps4 & descriptor_o.taps9);
  assign bad_residual = descriptor_o.residual && (descriptor_o.raw || descriptor_o.duplicate ||
                        descriptor_o.step_low != 16'd1 || descriptor_o.step_high != descriptor_o.modulus);
  assign bad_max     = !descriptor_o.taps9 || descriptor_o.blocks != 16'd1;
  assign bad_average = descriptor_o.taps9 || descriptor_o.log2s != '0 || descriptor_o.blocks > 16'd1 << (2 * riffle_pkg::Log2sMax);
  assign bad_pool    = pool && (descriptor_o.paired || descriptor_o.residual || descriptor_o.raw || descriptor_o.duplicate ||
                                descriptor_o.taps4 || descriptor_o.group_outputs[0] || (average ? bad_average : bad_max));
  logic bad_size_q, bad_flags_q, bad_residual_q, bad_pool_q, unknown_q;
  always_ff @(posedge clk_i) begin
    bad_size_q     <= bad_size;
    bad_flags_q    <= bad_flags;
    bad_residual_q <= bad_residual;
    bad_pool_q     <= bad_pool;
    unknown_q      <= ~conv & ~pool;
  end
  assign error_o = unknown_q ? riffle_pkg::ErrUnknownOpcode :
                   (bad_size_q | bad_flags_q | bad_residual_q | bad_pool_q) ? riffle_pkg::ErrBadDescriptor : riffle_pkg::ErrNone;
  assign error_detail_o = unknown_q ? descriptor_o.opcode : '0;
endmodule
