// stream_fetch - asks for the weight stream in DDR, ahead of its use, and puts its words together
//
// Computes   fill_data_o: the length_i stream words from byte address base_i on
// Contract   start_i begins a stream and forgets the one before; no data comes with it. No more words are asked for than have
//            room: Depth words, and one more for each taken_i. unfit_o judges base_i and length_i once they have stood for three cycles; a
//            stream that is unfit must not be used. After error_o nothing more is asked for.
// Timing     a burst of up to 16 beats, none across a 128-byte boundary, every fourth cycle at best; two beats make a word,
//            which is on fill_data_o one cycle after its second beat
module stream_fetch #(
    parameter int unsigned Depth = 10752  // stream words that have room
) (
    input  logic         clk_i,
    input  logic         rst_ni,
    input  logic         start_i,
    input  logic         stop_i,
    input  logic [ 31:0] base_i,          // byte address
    input  logic [ 31:0] length_i,        // stream words
    input  logic         taken_i,
    output logic         unfit_o,         // base_i is no multiple of 16, or the stream wraps round the addresses
    output logic         fill_valid_o,
    output logic [127:0] fill_data_o,
    output logic         error_o,         // a read has failed, word_o is the word
    output logic [ 23:0] word_o,
    output logic         req_valid_o,
    input  logic         req_ready_i,
    output logic [ 31:0] req_addr_o,
    output logic [  3:0] req_last_o,
    input  logic         data_valid_i,
    input  logic [ 63:0] data_i,
    input  logic         data_error_i
);
  localparam int unsigned BurstWords = 8;  // 128 bytes
  localparam int unsigned RoomWidth = $clog2(Depth + 1);

  // requests: one is made ready while none waits, a few cycles after the last: what it depends on is worked out step by step
  logic active_q, prepare;
  // address / 16, and stream words that are left: the upper halves follow the lower ones a cycle later
  logic [13:0] addr_low_q, addr_high_q;
  logic [15:0] left_low_q, left_high_q;
  logic carry_q, borrow_q;
  logic [RoomWidth-1:0] room_q;
  logic signed [4:0] change_q;  // of the room
  logic [2:0] settled_q;
  logic few_q, some_q, enough_q;
  logic [3:0] to_boundary_q, words_q;
  assign prepare = active_q & ~req_valid_o & enough_q & some_q & settled_q[2];
  always_ff @(posedge clk_i) begin
    settled_q     <= {settled_q[1:0], 1'b1};
    to_boundary_q <= 4'(BurstWords) - {1'b0, addr_low_q[2:0]};
    few_q         <= (left_high_q == '0) & (left_low_q[15:3] == '0);
    words_q       <= (few_q && left_low_q[3:0] < to_boundary_q) ? left_low_q[3:0] : to_boundary_q;
    some_q        <= (left_high_q != '0) | (left_low_q != '0);
    change_q      <= $signed({4'd0, taken_i}) - (prepare ? $signed({1'b0, words_q}) : '0);
    room_q        <= room_q + RoomWidth'(change_q);
    enough_q      <= room_q >= RoomWidth'(BurstWords);
    {carry_q, borrow_q} <= '0;
    addr_high_q   <= addr_high_q + 14'(carry_q);
    left_high_q   <= left_high_q - 16'(borrow_q);
    if (prepare) begin
      settled_q   <= '0;
      req_addr_o  <= {addr_high_q, addr_low_q, 4'd0};
      req_last_o  <= {words_q[2:0] - 3'd1, 1'b1};
      {carry_q, addr_low_q}  <= {1'b0, addr_low_q} + 15'(words_q);
      {borrow_q, left_low_q} <= {1'b0, left_low_q} - 17'(words_q);
    end
    req_valid_o <= prepare | (req_valid_o & ~req_ready_i);
    if (start_i) begin
      settled_q   <= '0;
      change_q    <= '0;
      {addr_high_q, addr_low_q} <= base_i[31:4];
      {left_high_q, left_low_q} <= length_i;
      {carry_q, borrow_q} <= '0;
      room_q      <= RoomWidth'(Depth);
    end
    active_q <= rst_ni & ~stop_i & (start_i | (active_q & ~error_o));
    if (!active_q || start_i || error_o) req_valid_o <= 1'b0;
  end

  // answers: two beats make a word
  logic second_q;
  always_ff @(posedge clk_i) begin
    fill_valid_o <= data_valid_i & second_q & ~data_error_i & ~error_o & active_q;
    if (data_valid_i) begin
      second_q    <= ~second_q;
      fill_data_o <= {data_i, fill_data_o[127:64]};
    end
    error_o <= error_o | (data_valid_i & data_error_i & active_q);
    if (start_i || !rst_ni) {second_q, error_o, fill_valid_o} <= '0;
  end
  event_counter #(.Width(24)) u_word (
      .clk_i, .restart_i(start_i | ~rst_ni), .event_i(data_valid_i & second_q & ~data_error_i & ~error_o),
      .count_o(word_o));

  // the sum of address / 16 and length, in two halves: 2^28 is the end of the addresses
  logic [14:0] end_low_q, end_high_q;
  logic [13:0] base_high_q;
  logic [17:0] length_high_q;
  logic odd_q;
  always_ff @(posedge clk_i) begin
    end_low_q     <= {1'b0, base_i[17:4]} + {1'b0, length_i[13:0]};
    base_high_q   <= base_i[31:18];
    length_high_q <= length_i[31:14];
    end_high_q    <= {1'b0, base_high_q} + {1'b0, length_high_q[13:0]} + 15'(end_low_q[14]);
    odd_q         <= base_i[3:0] != '0 || length_high_q[17:14] != '0;
    unfit_o       <= odd_q | (end_high_q[14] & ((|end_high_q[13:0]) | (|end_low_q[13:0])));
  end
endmodule
