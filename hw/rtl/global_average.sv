// global_average - sum of all lanes and phases of a channel, requantised into one lane of a vector word
//
// Computes   out[k] = clamp(requantise(bias + sum over reads and lanes of word[k]) + zero point), put into lane lane_i of
//            the old word of bank k; the other lanes stay
// Contract   feed_i: word_i[k] is k cycles behind word_i[0], at most every eighth cycle, first_i and last_i with it;
//            twelve cycles after last_i's feed_i the old words follow in the same order; no feed_i within four cycles of
//            them; bias_i from three to six cycles after a first_i, mult_i and shift_i from five to eleven after a last_i
// Timing     write_o (one-hot bank) and word_o of bank 0 two cycles after its old word, banks 1..3 on the cycles after
// Reference  riffle.reference.global_average
module global_average #(
    parameter int unsigned Rows     = 7,
    parameter int unsigned Columns  = 7,
    parameter int unsigned AccWidth = 25  // bits
) (
    input  logic                               clk_i,
    input  logic                               rst_ni,
    input  logic                               feed_i,
    input  logic                               first_i,
    input  logic                               last_i,
    input  logic signed [AccWidth-1:0]         bias_i,
    input  logic        [16:0]                 mult_i,
    input  logic        [ 3:0]                 shift_i,
    input  logic signed [ 7:0]                 zero_point_i,
    input  logic        [ 5:0]                 lane_i,
    input  logic [3:0][Rows*Columns-1:0][7:0]  word_i,
    output logic [3:0]                         write_o,
    output logic [Rows*Columns-1:0][7:0]       word_o
);
  localparam int unsigned Lanes = Rows * Columns;
  localparam int unsigned RowWidth = 8 + $clog2(Columns + 1);
  localparam int unsigned SumWidth = RowWidth + $clog2(Rows + 1);
  localparam int unsigned OldDelay = 12;  // from last_i to the old word

  // which bank comes by: one-hot, stage 0 with its word
  logic [2:0] feed_q, first_q, old_q;
  logic [3:0] feed, first, old;
  logic [OldDelay-1:0] last_q;
  assign feed  = {feed_q, feed_i};
  assign first = {first_q, first_i & feed_i};
  assign old   = {old_q, last_q[OldDelay-1]};
  always_ff @(posedge clk_i) begin
    feed_q  <= rst_ni ? feed[2:0] : '0;
    first_q <= first[2:0];
    old_q   <= rst_ni ? old[2:0] : '0;
    last_q  <= rst_ni ? {last_q[OldDelay-2:0], last_i & feed_i} : '0;
  end

  // stage 1: the word of that bank; stage 2: rows; stage 3: all lanes; stage 4: running totals, oldest bank last
  logic [Lanes-1:0][7:0] word_q;
  logic [Rows-1:0][RowWidth-1:0] row_sum, row_sum_q;
  logic signed [SumWidth-1:0] lane_sum, lane_sum_q;
  logic [3:0][AccWidth-1:0] total_q;
  logic signed [AccWidth-1:0] total_d;
  logic feed_q1, feed_q2, feed_q3, first_q1, first_q2, first_q3;
  always_comb begin
    for (int y = 0; y < Rows; y++) begin
      row_sum[y] = '0;
      for (int x = 0; x < Columns; x++) row_sum[y] = row_sum[y] + RowWidth'($signed(word_q[y*Columns+x]));
    end
    lane_sum = '0;
    for (int y = 0; y < Rows; y++) lane_sum = lane_sum + SumWidth'($signed(row_sum_q[y]));
  end
  assign total_d = (first_q3 ? bias_i : $signed(total_q[3])) + AccWidth'(lane_sum_q);
  always_ff @(posedge clk_i) begin
    unique case (1'b1)
      feed[0] | old[0]: word_q <= word_i[0];
      feed[1] | old[1]: word_q <= word_i[1];
      feed[2] | old[2]: word_q <= word_i[2];
      default:          word_q <= word_i[3];
    endcase
    row_sum_q  <= row_sum;
    lane_sum_q <= lane_sum;
    {feed_q3, feed_q2, feed_q1}    <= {feed_q2, feed_q1, |feed};
    {first_q3, first_q2, first_q1} <= {first_q2, first_q1, |first};
    if (feed_q3) total_q <= {total_q[2:0], total_d};
  end

  // stage 5 to 12: requantise the newest total; 13: it meets the old word
  logic [15:0] round_q;
  logic signed [8:0] offset_q;
  logic [7:0] value, value_q;
  always_ff @(posedge clk_i) begin
    round_q  <= 16'd1 << shift_i;
    offset_q <= 9'(zero_point_i);
  end
  requantise #(.AccWidth(AccWidth)) u_requantise (
      .clk_i, .acc_i($signed(total_q[0])), .mult_i, .round_i(round_q), .shift_hi_i(shift_i[3:2]), .shift_lo_i(shift_i[1:0]),
      .raw_i(1'b0), .offset_i(offset_q), .out_o(value));

  logic [3:0] old_q1;
  always_ff @(posedge clk_i) begin
    value_q <= value;
    old_q1  <= rst_ni ? old : '0;
    write_o <= rst_ni ? old_q1 : '0;
    word_o  <= word_q;
    for (int l = 0; l < Lanes; l++) if (lane_i == 6'(l)) word_o[l] <= value_q;
  end
endmodule
