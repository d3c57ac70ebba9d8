// mac_lane - one lane: four DSPs in cascade, two output channels, two accumulators in fabric
//
// Computes   acc0/acc1 += sum over banks k of act[k] * w0[k] / w1[k];  first_i restarts them from the biases
// Contract   bank k (act_i[k] and weight_i[k]) comes k cycles after bank 0, which is the cascade's own skew;
//            weight_i[k] = {w1 - (w0 < 0), w0}: (w1 << 17) + w0 without its repeated sign bits; |w| <= 127, so that four
//            products keep the lower field inside 17 bits: 4*127*128 < 2^16; zero weights where nothing is to be added
// Timing     acc*_o five cycles after bank 3; first_i two cycles and bias*_i one cycle before the sum they start with
// Reference  the sums of riffle.reference.convolution
// Note       plain RTL: yosys maps it to A, B, M and P registers and PCIN; keep_hierarchy keeps first_q local to the lane
(* keep_hierarchy *)
module mac_lane #(
    parameter int unsigned AccWidth = 25  // bits
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
  // upper one, written as an extra bit at the right end: no second adder.
  logic [SumWidth-1:0] sum_q;
  logic first_q;
  logic signed [AccWidth-1:0] add0, from0;
  logic signed [AccWidth:0] add1, from1;
  // verilator lint_off UNUSEDSIGNAL
  logic signed [AccWidth:0] next1;  // bit 0 only makes the carry
  // verilator lint_on UNUSEDSIGNAL
  assign add0  = AccWidth'($signed(sum_q[16:0]));
  assign from0 = first_q ? bias0_i : acc0_o;
  assign add1  = (AccWidth + 1)'($signed({sum_q[33:17], sum_q[16]}));
  assign from1 = {(first_q ? bias1_i : acc1_o), 1'b1};
  assign next1 = add1 + from1;
  always_ff @(posedge clk_i) begin
    sum_q   <= gen_dsp[3].p_q[SumWidth-1:0];
    first_q <= first_i;
    acc0_o  <= add0 + from0;
    acc1_o  <= next1[AccWidth:1];
  end
endmodule
