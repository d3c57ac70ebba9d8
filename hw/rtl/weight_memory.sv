// weight_memory - a memory for the host, or a ring that is filled as it empties; a stream for the engine
//
// Computes   stream_data_o, length_i words: resident_i: words base_i, base_i + 1, ... of the memory; otherwise a ring: the
//            words that come with fill_valid_i, and those that the host completes by writing their last 32 bits
// Contract   start_i begins a stream, and with it an empty ring at word 0; it is dropped when busy_i (high from the cycle after
//            start_i) falls. stream_end_o is high two cycles after the last word was taken; where base_i + length_i lies beyond
//            the memory the resident stream ends with the memory. While busy_i is high the host may only write, and only to
//            the ring (host_bus refuses the rest); what would overwrite words that wait is refused with BUS_BUSY.
//            fill_valid_i only with room: Depth words, and one for each taken_o.
//            host_*: fields stay until the response; exactly one response pulse for each host_valid_i pulse
// Timing     first word six cycles after start_i, then one per cycle; host write answered after one cycle, read after four
module weight_memory #(
    parameter int unsigned Depth     = 10752,  // stream words of 128 bits
    parameter int unsigned BankDepth = 2048    // of these in one bank, a power of two; 2048 x 16 bits is one block RAM
) (
    input  logic         clk_i,
    input  logic         rst_ni,
    input  logic         host_valid_i,
    input  logic         host_write_i,
    input  logic [ 17:0] host_addr_i,     // byte offset in the window
    input  logic [ 31:0] host_wdata_i,
    input  logic [  3:0] host_strb_i,
    output logic         rsp_valid_o,
    output logic [ 31:0] rsp_rdata_o,
    output logic [  7:0] rsp_error_o,
    input  logic         start_i,
    input  logic         busy_i,
    input  logic         resident_i,
    input  logic         fill_valid_i,
    input  logic [127:0] fill_data_i,
    output logic         taken_o,         // a word has left the memory
    output logic [ 31:0] taken_count_o,   // of this run
    input  logic [ 31:0] base_i,          // stream word
    input  logic [ 31:0] length_i,        // stream words
    output logic         stream_valid_o,
    input  logic         stream_ready_i,
    output logic [127:0] stream_data_o,
    output logic         stream_end_o
);
  localparam int unsigned AddrWidth = $clog2(Depth);
  localparam int unsigned LengthWidth = 24;  // longer streams count as this long: 256 MB
  localparam int unsigned FifoDepth = 8;  // more than the six cycles from a fetch to its place being free again
  localparam int unsigned Banks = (Depth + BankDepth - 1) / BankDepth;
  localparam int unsigned BankWidth = (Banks > 1) ? $clog2(Banks) : 1;
  if (Depth % BankDepth == 1 || Depth * riffle_pkg::StreamBytes > riffle_pkg::WeightsSize) begin : gen_bad_depth
    $error("Depth of weight_memory must fit the WEIGHTS window and leave no bank with one word");
  end

  // fetch: one word per cycle while the words on their way have a place in the FIFO
  logic active_q, exhausted_q, available_q, last_word, fetch, push, pop;
  logic filled_q;  // a word has come into the ring
  logic [AddrWidth:0] next_q, credit_q;  // 0..Depth; words in the ring
  // words that are left, in two halves: the upper one goes down in the fetch at which the lower one is 0
  localparam int unsigned Half = LengthWidth / 2;
  logic [Half-1:0] left_low_q, left_high_q;
  logic low_zero_q, left_one;
  assign left_one = (left_high_q == '0) & (left_low_q == Half'(1));
  logic [3:0] places_q;
  logic [3:0] flight_q;
  assign last_word = next_q == (AddrWidth + 1)'(Depth - 1);
  assign fetch     = active_q & ~exhausted_q & available_q & (places_q != '0);
  assign push      = flight_q[3];
  assign pop       = stream_valid_o & stream_ready_i;
  always_ff @(posedge clk_i) begin
    active_q <= rst_ni & (start_i | (active_q & busy_i));
    if (start_i) begin
      next_q      <= resident_i ? base_i[AddrWidth:0] : '0;
      {left_high_q, left_low_q} <= (|length_i[31:LengthWidth]) ? '1 : length_i[LengthWidth-1:0];
      low_zero_q  <= (length_i[Half-1:0] == '0) & ~(|length_i[31:LengthWidth]);
      exhausted_q <= (resident_i && base_i >= Depth) || length_i == '0;
    end else if (fetch) begin
      next_q      <= last_word ? '0 : next_q + 1'b1;
      left_low_q  <= left_low_q - 1'b1;
      low_zero_q  <= left_low_q == Half'(1);
      left_high_q <= left_high_q - Half'(low_zero_q);
      exhausted_q <= left_one | (resident_i & last_word);
    end
    // known a cycle late: a word that comes waits, one that goes is reckoned with
    available_q <= resident_i | (|credit_q[AddrWidth:1]) | (credit_q[0] & ~fetch);
    credit_q    <= credit_q + (AddrWidth + 1)'(filled_q) - (AddrWidth + 1)'(fetch);
    taken_o     <= fetch;
    if (!active_q) credit_q <= '0;
  end

  event_counter u_taken (.clk_i, .restart_i(start_i), .event_i(taken_o & ~start_i), .count_o(taken_count_o));

  // memory: registered address, array read, output register, choice of the bank
  logic mapped, full, host_read, host_write;
  logic [AddrWidth-1:0] raddr_q, waddr_q, fill_q;  // fill_q: the ring's next free word
  logic [3:0][3:0] we_q;
  logic [3:0][31:0] wdata_q, word;
  assign mapped     = 32'(host_addr_i[17:4]) < Depth;
  assign full       = active_q && credit_q == (AddrWidth + 1)'(Depth);
  assign host_read  = host_valid_i & mapped & ~host_write_i;
  assign host_write = host_valid_i & mapped & host_write_i & ~full;
  always_ff @(posedge clk_i) begin
    raddr_q <= active_q ? next_q[AddrWidth-1:0] : host_addr_i[4+:AddrWidth];
    waddr_q <= fill_valid_i ? fill_q : host_addr_i[4+:AddrWidth];
    wdata_q <= fill_valid_i ? fill_data_i : {4{host_wdata_i}};
    we_q    <= {16{fill_valid_i}};
    if (host_write) we_q[host_addr_i[3:2]] <= host_strb_i;
    filled_q <= active_q & (fill_valid_i | (host_write & (host_addr_i[3:2] == 2'd3)));
    if (!active_q) fill_q <= '0;
    else if (fill_valid_i) fill_q <= (fill_q == AddrWidth'(Depth - 1)) ? '0 : fill_q + 1'b1;
  end
  logic [Banks-1:0][3:0][31:0] bank_word;
  logic [BankWidth-1:0] wbank, rbank, rbank_q, rbank_q1;
  assign wbank = BankWidth'(32'(waddr_q) / BankDepth);
  assign rbank = BankWidth'(32'(raddr_q) / BankDepth);
  for (genvar b = 0; b < Banks; b++) begin : gen_bank
    localparam int unsigned Words = (b == Banks - 1) ? Depth - b * BankDepth : BankDepth;
    for (genvar i = 0; i < 4; i++) begin : gen_word
      word_memory #(.Depth(Words)) u_memory (
          .clk_i, .we_i(we_q[i] & {4{wbank == BankWidth'(b)}}), .waddr_i(waddr_q[$clog2(Words)-1:0]), .wdata_i(wdata_q[i]),
          .raddr_i(raddr_q[$clog2(Words)-1:0]), .rdata_o(bank_word[b][i])
      );
    end
  end
  always_ff @(posedge clk_i) begin
    {rbank_q1, rbank_q} <= {rbank_q, rbank};
    word <= bank_word[rbank_q1];
  end

  // stream side: a FIFO takes what comes out of the memory, so that ready never stops the memory
  (* ram_style = "distributed" *) logic [127:0] fifo[FifoDepth];
  logic [3:0] wptr_q, rptr_q;
  assign stream_valid_o = wptr_q != rptr_q;
  assign stream_data_o  = fifo[rptr_q[2:0]];
  always_ff @(posedge clk_i) begin
    if (push) fifo[wptr_q[2:0]] <= word;
    flight_q <= {flight_q[2:0], fetch};
    places_q <= places_q + 4'(pop) - 4'(fetch);
    wptr_q   <= wptr_q + 4'(push);
    rptr_q   <= rptr_q + 4'(pop);
    stream_end_o <= exhausted_q & (places_q == 4'(FifoDepth));
    if (!active_q) begin
      {flight_q, wptr_q, rptr_q, stream_end_o} <= '0;
      places_q <= 4'(FifoDepth);
    end
  end

  // host side
  logic [2:0] reading_q;
  always_ff @(posedge clk_i) begin
    reading_q   <= {3{rst_ni}} & {reading_q[1:0], host_read};
    rsp_valid_o <= rst_ni & (reading_q[2] | (host_valid_i & ~host_read));
    rsp_error_o <= !mapped ? riffle_pkg::ErrBusUnmapped : (full & host_write_i) ? riffle_pkg::ErrBusBusy : riffle_pkg::ErrNone;
  end
  assign rsp_rdata_o = word[host_addr_i[3:2]];

  logic unused;
  assign unused = &{1'b0, host_addr_i[1:0]};  // always 0: the host bus is word aligned
endmodule
