// mac_lane - one lane: four DSPs in cascade, two output channels, two accumulators in fabric
//
// Computes   acc0/acc1 += sum over banks k of act[k] * w0[k] / w1[k];  first_i restarts them from the biases
// Contract   bank k (act_i[k] and weight_i[k]) comes k cycles after bank 0, which is the cascade's own skew;
//            weight_i[k] = {w1 - (w0 < 0), w0}: (w1 << 17) + w0 without its repeated sign bits; |w| <= 127, so that four
//            products keep the lower field inside 17 bits: 4*127*128 < 2^16; zero weights where nothing is to be added
// Timing     acc*_o five cycles after bank 3; first_i two cycles and bias*_i one cycle before the sum they start with; of
//            acc*_o and bias*_i that holds for the LowWidth low bits, the others come one cycle later
// Reference  the sums of riffle.graph.reference.convolution
// Note       plain RTL: yosys maps it to A, B, M and P registers and PCIN; first_q is the lane's own, so that its net is short
module mac_lane #(
    parameter int unsigned AccWidth = 25,  // bits
    parameter int unsigned LowWidth = 12   // bits of the low half
) (
    input  logic                       clk_i,
    input  logic        [3:0][    7:0] act_i,
    input  logic        [3:0][   15:0] weight_i,
    input  logic                       first_i,
    input  logic signed [AccWidth-1:0] bias0_i,
    input  logic signed [AccWidth-1:0] bias1_i,
    output logic signed [AccWidth-1:0] acc0_o,
    output logic signed [AccWidth-1:0] acc1_o
);
  localparam int unsigned SumWidth = 34;  // two fields of 17 bits

  for (genvar k = 0; k < 4; k++) begin : gen_dsp
    logic signed [24:0] a_q;
    logic signed [7:0] b_q;
    logic signed [32:0] m_q;
    // the P register is 48 bits wide whatever is used of it
    // verilator lint_off UNUSEDSIGNAL
    logic signed [47:0] p_q;
    // verilator lint_on UNUSEDSIGNAL
    always_ff @(posedge clk_i) begin
      a_q <= {weight_i[k][15:8], {9{weight_i[k][7]}}, weight_i[k][7:0]};
      b_q <= act_i[k];
      m_q <= a_q * b_q;
    end
    if (k == 0) begin : gen_head
      always_ff @(posedge clk_i) p_q <= 48'(m_q);
    end else begin : gen_tail
      always_ff @(posedge clk_i) p_q <= 48'(m_q) + gen_dsp[k-1].p_q;
    end
  end

  // The start/accumulate choice shares the LUT of the carry chain. The borrow of the lower field is the carry in of the
  // upper one, written as an extra bit at the right end: no second adder. Accumulators are added in two halves, a cycle
  // apart: carry chains half as long.
  localparam int unsigned HighWidth = AccWidth - LowWidth;
  logic [SumWidth-1:0] sum_q;
  logic [16-LowWidth:0] high0_q, high1_q;  // of sum_q's fields, for the high halves
  (* keep, dont_touch = "true" *) logic first_q, first_q1;
  logic carry0_q, carry1_q;
  logic [LowWidth:0] low0;
  logic signed [HighWidth:0] high0, high1;
  logic [LowWidth+1:0] low1;  // bit 0 of low1, high0 and high1 only makes the carry
  assign low0  = {1'b0, sum_q[LowWidth-1:0]} + {1'b0, first_q ? bias0_i[LowWidth-1:0] : acc0_o[LowWidth-1:0]};
  assign low1  = {1'b0, sum_q[17+:LowWidth], sum_q[16]}
               + {1'b0, first_q ? bias1_i[LowWidth-1:0] : acc1_o[LowWidth-1:0], 1'b1};
  assign high0 = (HighWidth + 1)'($signed({high0_q, carry0_q}))
               + $signed({first_q1 ? bias0_i[AccWidth-1:LowWidth] : acc0_o[AccWidth-1:LowWidth], 1'b1});
  assign high1 = (HighWidth + 1)'($signed({high1_q, carry1_q}))
               + $signed({first_q1 ? bias1_i[AccWidth-1:LowWidth] : acc1_o[AccWidth-1:LowWidth], 1'b1});
  always_ff @(posedge clk_i) begin
    sum_q    <= gen_dsp[3].p_q[SumWidth-1:0];
    first_q  <= first_i;
    first_q1 <= first_q;
    high0_q  <= sum_q[16:LowWidth];
    high1_q  <= sum_q[33:17+LowWidth];
    {carry0_q, acc0_o[LowWidth-1:0]} <= low0;
    {carry1_q, acc1_o[LowWidth-1:0]} <= low1[LowWidth+1:1];
    acc0_o[AccWidth-1:LowWidth] <= high0[HighWidth:1];
    acc1_o[AccWidth-1:LowWidth] <= high1[HighWidth:1];
  end

  logic unused;
  assign unused = &{1'b0, low1[0], high0[0], high1[0]};
endmodule
