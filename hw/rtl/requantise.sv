// requantise - one of the 20 requantisation units of the drain, and the one of the global average
//
// Computes   clamp(((acc*mult + round) >> (16 + shift)) + offset), int8; with raw_i the low byte without clamp
// Contract   parameters arrive with the stage that uses them: mult +1, round +2, shift[3:2] +3, shift[1:0] +4, raw and
//            offset +6 (raw also +5 and +7: hold it) cycles after acc_i, so consecutive sums may belong to different
//            pairs; round = 2^(15+shift), given as a one-hot of weight 2^15 and up
// Timing     eight cycles, one sum per cycle
// Reference  riffle.graph.reference.requantise, shifts 16..31
module requantise #(
    parameter int unsigned AccWidth = 25  // bits
) (
    input  logic                       clk_i,
    input  logic signed [AccWidth-1:0] acc_i,
    input  logic        [        16:0] mult_i,
    input  logic        [        15:0] round_i,
    input  logic        [         1:0] shift_hi_i,
    input  logic        [         1:0] shift_lo_i,
    input  logic                       raw_i,
    input  logic signed [         8:0] offset_i,    // zero point + residual
    output logic signed [         7:0] out_o
);
  localparam int unsigned ProductWidth = AccWidth + 18;
  localparam int unsigned FarWidth = ProductWidth - 16;

  logic signed [AccWidth-1:0] acc_q;
  logic signed [ProductWidth-1:0] product_q, rounded_q;
  logic signed [FarWidth-1:0] far_q, near_q;
  logic signed [9:0] saturated_q;  // enough to be clamped to int8 after any offset is added
  logic signed [10:0] sum_q;
  logic near_fits, sum_fits;

  assign near_fits = near_q[FarWidth-1:9] == {(FarWidth - 9){near_q[FarWidth-1]}};
  assign sum_fits  = sum_q[10:7] == {4{sum_q[10]}};
  always_ff @(posedge clk_i) begin
    acc_q     <= acc_i;
    product_q <= acc_q * $signed({1'b0, mult_i});
    rounded_q <= product_q + $signed({{(ProductWidth - 31) {1'b0}}, round_i, 15'b0});
    unique case (shift_hi_i)
      2'd0: far_q <= FarWidth'(rounded_q >>> 16);
      2'd1: far_q <= FarWidth'(rounded_q >>> 20);
      2'd2: far_q <= FarWidth'(rounded_q >>> 24);
      default: far_q <= FarWidth'(rounded_q >>> 28);
    endcase
    unique case (shift_lo_i)
      2'd0: near_q <= far_q;
      2'd1: near_q <= far_q >>> 1;
      2'd2: near_q <= far_q >>> 2;
      default: near_q <= far_q >>> 3;
    endcase
    saturated_q <= (near_fits | raw_i) ? near_q[9:0] : {near_q[FarWidth-1], {9{~near_q[FarWidth-1]}}};
    sum_q       <= 11'(saturated_q) + 11'(offset_i);
    out_o       <= (sum_fits | raw_i) ? sum_q[7:0] : {sum_q[10], {7{~sum_q[10]}}};
  end
endmodule
