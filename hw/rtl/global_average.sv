// global_average - sum of all lanes and phases of a channel, requantised into one lane of a vector word
//
// Computes   out[k] = clamp(requantise(bias + sum over reads and lanes of word[k]) + zero point), put into lane lane_i of
//            the old word of bank k; the other lanes stay
// Contract   feed_i: word_i[k] is k cycles behind word_i[0], at most every eighth cycle, first_i and last_i with it;
//            twelve cycles after last_i's feed_i the old words follow in the same order; no feed_i within four cycles of
//            them; bias_i from five to nine cycles after a first_i, mult_i and shift_i from eight to fourteen after a last_i
// Timing     write_o (one-hot bank) and word_o of bank 0 five cycles after its old word, banks 1..3 on the cycles after
// Reference  riffle.graph.reference.global_average
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

  // stage 1: the word of that bank; 2, 3: sums of the lattice's rows; 4, 5: of all lanes; each of three, then of three sums
  localparam int unsigned Parts = 3, RowParts = (Columns + Parts - 1) / Parts, LaneParts = (Rows + Parts - 1) / Parts;
  if (Rows > Parts * Parts || Columns > Parts * Parts) begin : gen_bad_lattice
    $error("global_average: at most nine rows and columns");
  end
  logic [Lanes-1:0][7:0] word_q;
  logic [Rows-1:0][RowParts-1:0][9:0] part, part_q;
  logic [Rows-1:0][RowWidth-1:0] row_sum, row_sum_q;
  logic [LaneParts-1:0][RowWidth+1:0] lane_part, lane_part_q;
  logic signed [SumWidth-1:0] lane_sum, lane_sum_q;
  always_comb begin
    for (int y = 0; y < Rows; y++) begin
      part[y] = '0;
      for (int x = 0; x < Columns; x++) part[y][x/Parts] = part[y][x/Parts] + 10'($signed(word_q[y*Columns+x]));
      row_sum[y] = '0;
      for (int p = 0; p < RowParts; p++) row_sum[y] = row_sum[y] + RowWidth'($signed(part_q[y][p]));
    end
    lane_part = '0;
    for (int y = 0; y < Rows; y++) lane_part[y/Parts] = lane_part[y/Parts] + (RowWidth + 2)'($signed(row_sum_q[y]));
    lane_sum = '0;
    for (int p = 0; p < LaneParts; p++) lane_sum = lane_sum + SumWidth'($signed(lane_part_q[p]));
  end

  // stage 6, 7: running totals, oldest bank last, the high half a cycle behind the low one
  localparam int unsigned LowWidth = AccWidth / 2, HighWidth = AccWidth - LowWidth;
  logic [5:1] feed_at, first_at;
  logic high_feed_q, high_first_q, carry_q;
  logic [3:0][LowWidth-1:0] low_q;
  logic [3:0][HighWidth-1:0] high_q;
  logic [LowWidth-1:0] low_late_q;  // beside the newest high half
  logic [HighWidth-1:0] lane_sum_high_q;
  always_ff @(posedge clk_i) begin
    unique case (1'b1)
      feed[0] | old[0]: word_q <= word_i[0];
      feed[1] | old[1]: word_q <= word_i[1];
      feed[2] | old[2]: word_q <= word_i[2];
      default:          word_q <= word_i[3];
    endcase
    part_q      <= part;
    row_sum_q   <= row_sum;
    lane_part_q <= lane_part;
    lane_sum_q  <= lane_sum;
    feed_at     <= {feed_at[4:1], |feed};
    first_at    <= {first_at[4:1], |first};

    if (feed_at[5]) begin
      {carry_q, low_q[0]} <= {1'b0, first_at[5] ? bias_i[LowWidth-1:0] : low_q[3]} + {1'b0, LowWidth'(lane_sum_q)};
      low_q[3:1] <= low_q[2:0];
    end
    lane_sum_high_q <= HighWidth'(lane_sum_q >>> LowWidth);
    {high_feed_q, high_first_q} <= {feed_at[5], first_at[5]};
    if (high_feed_q) begin
      high_q <= {high_q[2:0], (high_first_q ? bias_i[AccWidth-1:LowWidth] : high_q[3]) + lane_sum_high_q + HighWidth'(carry_q)};
    end
    low_late_q <= low_q[0];
  end

  // stage 8 to 15: requantise the newest total; 16: it meets the old word, which has waited
  logic [15:0] round_q;
  logic signed [8:0] offset_q;
  logic [7:0] value, value_q;
  always_ff @(posedge clk_i) begin
    round_q  <= 16'd1 << shift_i;
    offset_q <= 9'(zero_point_i);
  end
  requantise #(.AccWidth(AccWidth)) u_requantise (
      .clk_i, .acc_i($signed({high_q[0], low_late_q})), .mult_i, .round_i(round_q), .shift_hi_i(shift_i[3:2]),
      .shift_lo_i(shift_i[1:0]), .raw_i(1'b0), .offset_i(offset_q), .out_o(value));

  localparam int unsigned OldWait = 3;
  logic [OldWait:0][3:0] old_at;
  logic [OldWait:1][Lanes-1:0][7:0] word_at;
  always_ff @(posedge clk_i) begin
    value_q <= value;
    old_at  <= rst_ni ? {old_at[OldWait-1:0], old} : '0;
    word_at <= {word_at[OldWait-1:1], word_q};
    write_o <= rst_ni ? old_at[OldWait] : '0;
    word_o  <= word_at[OldWait];
    for (int l = 0; l < Lanes; l++) if (lane_i == 6'(l)) word_o[l] <= value_q;
  end
endmodule
