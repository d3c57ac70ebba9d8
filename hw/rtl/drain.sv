// drain - capture the 2 x Lanes sums of a pair and requantise them with 2 x ceil(Lanes / 5) units in five cycles
//
// Computes   word_o[o][lane] = requantise(acc[o][lane]) + zero point [+ residual[o][lane]], clamped; with raw_i four words
//            per channel instead: byte pass_o of the sign-extended accumulator
// Contract   capture_i one cycle before the sums, at most every fifth cycle (raw: 20th); mult_i, shift_i and residual_i with
//            the sums; the other inputs are held while a pair is on its way. The sums' bits from LowWidth on come one
//            cycle later
// Timing     word_o for one cycle with done_o, 14 cycles after the sums (raw: also 19, 24 and 29)
// Reference  riffle.graph.reference.requantise; raw: int32 as little-endian bytes
module drain #(
    parameter int unsigned Lanes    = 49,
    parameter int unsigned AccWidth = 25,  // bits
    parameter int unsigned LowWidth = 12   // bits of acc*_i that come first
) (
    input  logic                           clk_i,
    input  logic                           rst_ni,
    input  logic                           capture_i,
    input  logic [Lanes-1:0][AccWidth-1:0] acc0_i,
    input  logic [Lanes-1:0][AccWidth-1:0] acc1_i,
    input  logic [      1:0][        16:0] mult_i,
    input  logic [      1:0][         3:0] shift_i,
    input  logic signed     [         7:0] zero_point_i,
    input  logic                           residual_add_i,
    input  logic                           raw_i,
    input  logic [      1:0][Lanes-1:0][7:0] residual_i,
    output logic [      1:0][Lanes-1:0][7:0] word_o,
    output logic                           done_o,
    output logic [1:0]                     pass_o
);
  localparam int unsigned Steps = 5;
  localparam int unsigned HighWidth = AccWidth - LowWidth;
  localparam int unsigned Units = (Lanes + Steps - 1) / Steps;  // per output channel
  localparam int unsigned Latency = 8;  // of requantise

  // Control, stage i is visible i + 1 cycles after the sums; a copy of what is broadcast in each unit
  logic take_q, again;
  logic [Latency:0] on_q;
  logic [Latency:0][2:0] step_q;
  logic [Latency:0][1:0] pass_q;
  assign again  = raw_i & on_q[0] & (step_q[0] == 3'(Steps - 1)) & (pass_q[0] != 2'd3);  // next pass over the same sums
  always_ff @(posedge clk_i) begin
    take_q    <= capture_i & rst_ni;
    on_q      <= {on_q[Latency-1:0], take_q | again | (on_q[0] & (step_q[0] != 3'(Steps - 1)))};
    step_q[0] <= (take_q | again) ? '0 : step_q[0] + 3'd1;
    pass_q[0] <= take_q ? '0 : pass_q[0] + 2'(again);
    for (int i = 1; i <= Latency; i++) begin
      step_q[i] <= step_q[i-1];
      pass_q[i] <= pass_q[i-1];
    end
    if (!rst_ni) on_q <= '0;
  end
  // the last step has been collected
  always_ff @(posedge clk_i) begin
    done_o <= rst_ni & on_q[Latency] & (step_q[Latency] == 3'(Steps - 1));
    pass_o <= pass_q[Latency];
  end

  for (genvar o = 0; o < 2; o++) begin : gen_channel
    logic [Units*Steps*AccWidth-1:0] sums;
    logic [Units*Steps*8-1:0] residual;
    assign sums     = (Units*Steps*AccWidth)'(o == 0 ? acc0_i : acc1_i);
    assign residual = (Units*Steps*8)'(residual_i[o]);

    // parameters, each delayed to the stage that uses it; raw picks a byte with a power of two
    logic [16:0] mult_q0, mult_q;
    logic [3:0] shift_q0, shift_q1, shift_q2, shift_q3;
    logic [1:0] shift_q4;
    logic [15:0] round_q;
    always_ff @(posedge clk_i) begin
      if (take_q) begin
        mult_q0  <= raw_i ? 17'h10000 : mult_i[o];
        shift_q0 <= raw_i ? 4'd0 : shift_i[o];
      end else if (again) begin
        mult_q0  <= pass_q[0] == 2'd0 ? 17'h10000 : pass_q[0] == 2'd1 ? 17'h00100 : 17'h00001;
        shift_q0 <= 4'd8;
      end
      mult_q   <= mult_q0;
      shift_q1 <= shift_q0;
      round_q  <= raw_i ? '0 : 16'd1 << shift_q1;
      shift_q2 <= shift_q1;
      shift_q3 <= shift_q2;
      shift_q4 <= shift_q3[1:0];
    end

    for (genvar u = 0; u < Units; u++) begin : gen_unit
      (* keep, dont_touch = "true" *) logic unit_take_q, unit_late_q;  // low, high halves of the sums
      (* keep, dont_touch = "true" *) logic [2:0] unit_step_q;
      // verilator lint_off UNUSEDSIGNAL
      (* keep, dont_touch = "true" *) logic [Steps-1:0] collect_q;  // the last unit may have fewer lanes
      // verilator lint_on UNUSEDSIGNAL
      logic [Steps*AccWidth-1:0] held_q;
      logic [Steps*8-1:0] held_residual_q;
      logic [AccWidth-1:0] sum;
      logic [HighWidth-1:0] first_high;
      logic [7:0] out, add;
      logic [5*8-1:0] add_q;  // from the step to the offset of its sum, flat: Yosys reads no packed array here
      logic signed [8:0] offset_q;
      always_ff @(posedge clk_i) begin
        unit_take_q <= capture_i;
        unit_late_q <= unit_take_q;
        unit_step_q <= (unit_take_q | again) ? '0 : unit_step_q + 3'd1;
        for (int s = 0; s < Steps; s++) collect_q[s] <= on_q[Latency-1] && step_q[Latency-1] == 3'(s);
        for (int s = 0; s < Steps; s++) begin
          if (unit_take_q) held_q[s*AccWidth+:LowWidth] <= sums[(u*Steps+s)*AccWidth+:LowWidth];
          if (unit_late_q) held_q[s*AccWidth+LowWidth+:HighWidth] <= sums[(u*Steps+s)*AccWidth+LowWidth+:HighWidth];
        end
        if (unit_take_q) held_residual_q <= residual[u*Steps*8+:Steps*8];
        add_q    <= {add_q[0+:4*8], add & {8{residual_add_i}}};
        offset_q <= raw_i ? '0 : 9'(zero_point_i) + 9'($signed(add_q[4*8+:8]));
      end
      // the first sum is wanted when its high half comes
      assign first_high = unit_late_q ? sums[u*Steps*AccWidth+LowWidth+:HighWidth] : held_q[LowWidth+:HighWidth];
      always_comb begin
        unique case (unit_step_q)
          3'd0: {sum, add} = {first_high, held_q[0+:LowWidth], held_residual_q[0*8+:8]};
          3'd1: {sum, add} = {held_q[1*AccWidth+:AccWidth], held_residual_q[1*8+:8]};
          3'd2: {sum, add} = {held_q[2*AccWidth+:AccWidth], held_residual_q[2*8+:8]};
          3'd3: {sum, add} = {held_q[3*AccWidth+:AccWidth], held_residual_q[3*8+:8]};
          default: {sum, add} = {held_q[4*AccWidth+:AccWidth], held_residual_q[4*8+:8]};
        endcase
      end
      requantise #(.AccWidth(AccWidth)) u_requantise (
          .clk_i, .acc_i(sum), .mult_i(mult_q), .round_i(round_q), .shift_hi_i(shift_q3[3:2]), .shift_lo_i(shift_q4),
          .raw_i, .offset_i(offset_q), .out_o(out));
      for (genvar s = 0; s < Steps; s++) begin : gen_collect
        if (u * Steps + s < Lanes) begin : gen_lane
          always_ff @(posedge clk_i) if (collect_q[s]) word_o[o][u*Steps+s] <= out;
        end
      end
    end
  end
endmodule
