// sequencer - the loop nest of a descriptor, one slot per cycle
//
// Computes   for group: for pair: for phase: for tap: for block: read address, lattice step, weight address; and per pair and
//            phase the two output addresses (docs/architecture.md, "What a descriptor executes")
// Contract   the descriptor's fields are stable from start_i until done_o. Pairs begin when weights_ready_i (ignored by
//            MAXPOOL); take_o with it. A pair and phase takes at least five slots (raw: 20, average: a multiple of eight).
//            With reread_o the slot five cycles after last_o feeds nothing: the memory ports are then needed to read the
//            output's address. Residuals of up to KeptPhases phases are read a block at a time: keep_o marks the phases of
//            a block's first pair, kept_o as many of the second one. stop_i ends the run without done_o. error_o is a
//            pulse; go on to stop_i. Errors come in the order of the loops: for each pair its count of weights, then for
//            each phase its reads, then its writes.
// Timing     first slot on the outputs seven cycles after start_i; outputs are registered, three cycles behind the loops;
//            done_o one cycle after the loops have ended, two cycles before the last slot is on the outputs
// Reference  riffle.isa.emulator
module sequencer #(
    parameter int unsigned Depth = 2048  // words per bank
) (
    input  logic        clk_i,
    input  logic        rst_ni,
    input  logic        start_i,
    input  logic        stop_i,
    output logic        done_o,
    // descriptor
    input  logic        maxpool_i,
    input  logic        average_i,
    input  logic [ 2:0] log2s_i,
    input  logic        stride2_i,
    input  logic        taps9_i,
    input  logic        taps4_i,
    input  logic        paired_i,
    input  logic        residual_i,
    input  logic        duplicate_i,
    input  logic        raw_i,
    input  logic [15:0] in_base_i,
    input  logic [15:0] out_base_i,
    input  logic [15:0] in_channel_i,
    input  logic [15:0] group_step_i,
    input  logic [15:0] pair_step_i,
    input  logic [15:0] blocks_i,
    input  logic [15:0] groups_i,
    input  logic [15:0] group_outputs_i,
    input  logic [15:0] position_i,
    input  logic [15:0] modulus_i,
    input  logic [15:0] step_low_i,
    input  logic [15:0] step_high_i,
    input  logic [15:0] row_i,
    input  logic [15:0] remainder_i,
    // weights
    input  logic        clear_i,           // forget the ring's position (start of a run)
    input  logic        weights_ready_i,
    input  logic [ 9:0] weights_count_i,
    input  logic        weights_begun_i,   // the next pair's header is there, and its count with it
    output logic        unlike_o,          // that count is not the descriptor's
    output logic        take_o,
    output logic [ 8:0] weights_base_o,    // ring address of the pair in use, stream words
    output logic        starved_o,         // waits for weights
    // slots
    output logic                     feed_o,   // this slot feeds the array or a pool
    output logic                     first_o,  // first slot of a pair and phase
    output logic                     final_o,  // the last feed of a pair and phase
    output logic                     last_o,   // last slot of a pair and phase
    output logic                     reread_o, // with last_o: the old words at the output's address are to be read,
    output logic                     keep_o,   // and those of the block's other pair kept
    output logic                     kept_o,   // have been kept
    output logic [$clog2(Depth)-1:0] raddr0_o, // banks 0, 1
    output logic [$clog2(Depth)-1:0] raddr2_o, // banks 2, 3
    output logic [              3:0] step0_o,  // lattice step {dy, dx} of banks 0, 1: 2'b01 = +1, 2'b10 = -1
    output logic [              3:0] step2_o,
    output logic [              9:0] weight_addr_o,
    output logic [$clog2(Depth)-1:0] waddr0_o, // output addresses of the pair's channels, with last_o
    output logic [$clog2(Depth)-1:0] waddr1_o,
    output logic [              3:0] wbanks0_o,
    output logic [              3:0] wbanks1_o, // none where the pair has one channel
    // errors
    output logic        error_o,
    output logic [ 7:0] error_code_o,
    output logic [23:0] error_detail_o
);
  localparam int unsigned AddrWidth = $clog2(Depth);
  localparam int unsigned KeptLog2s = $clog2(riffle_pkg::KeptPhases) / 2;

  // 16-bit numbers with the carry of their last sum on top, and above it whether there was one before: so no nonsense
  // wraps round into the memory, and no logic follows a carry chain
  function automatic logic [17:0] add(input logic [17:0] a, input logic [15:0] b);
    add = {a[17] | a[16], {1'b0, a[15:0]} + {1'b0, b}};
  endfunction
  // the same where more logic follows: both upper halves there may be, of which the lower half's carry takes one
  function automatic logic [17:0] add_select(input logic [17:0] a, input logic [15:0] b);
    logic [8:0] low, high;
    // verilator lint_off UNUSEDSIGNAL
    logic [9:0] high_carried;  // its lowest bit takes the carry in
    // verilator lint_on UNUSEDSIGNAL
    low          = {1'b0, a[7:0]} + {1'b0, b[7:0]};
    high         = {1'b0, a[15:8]} + {1'b0, b[15:8]};
    high_carried = {1'b0, a[15:8], 1'b1} + {1'b0, b[15:8], 1'b1};
    add_select   = {a[17] | a[16], low[8] ? high_carried[9:1] : high, low[7:0]};
  endfunction
  function automatic logic [17:0] times_phases(input logic [17:0] a, input logic [2:0] log2s);
    logic [25:0] product;
    product = {10'b0, a[15:0]} << {log2s, 1'b0};
    times_phases = {a[17] | a[16], |product[25:16], product[15:0]};
  endfunction
  function automatic logic beyond(input logic [17:0] address);
    beyond = (|address[17:16]) || 32'(address[15:0]) >= Depth;
  endfunction
  function automatic logic [23:0] detail_of(input logic [17:0] address);
    detail_of = 24'({|address[17:16], address[15:0]});
  endfunction

  // ------------------------------------------------------------------------------------------------ derived, registered
  logic [4:0] mask_q, out_mask_q;  // S - 1 of input and output
  logic [2:0] out_log2s_q;
  logic [10:0] area_q;             // S * S of the input
  logic [10:0] blocks_m2_q;
  logic [15:0] pairs_m1_q, groups_m1_q;
  logic one_block_q;
  always_ff @(posedge clk_i) begin
    mask_q      <= ~(5'h1f << log2s_i);
    out_log2s_q <= log2s_i - 3'(stride2_i);
    out_mask_q  <= ~(5'h1f << (log2s_i - 3'(stride2_i)));
    area_q      <= 11'd1 << {log2s_i, 1'b0};
    blocks_m2_q <= blocks_i[10:0] - 11'd2;
    one_block_q <= blocks_i == 16'd1;
    pairs_m1_q  <= {1'b0, group_outputs_i[15:1]} + 16'(group_outputs_i[0]) - 16'd1;
    groups_m1_q <= groups_i - 16'd1;
  end

  // ------------------------------------------------------------------------------------------------ pairs
  logic [2:0] setup_q;  // cycles since start_i
  logic active_q, waiting_q, in_pair_q;
  logic enter;          // a pair begins in the next cycle
  logic slot_end, pair_end, begin_phase, phase_last_q, finished;
  logic pair_last_q, group_last_q, all_last_q, ready, aligned_q;
  logic [2:0] align_q;  // the averages of pairs follow each other in steps of eight cycles
  assign ready    = (weights_ready_i | maxpool_i) & ~stop_i;
  assign pair_end = slot_end & phase_last_q;
  assign finished = pair_end & all_last_q;
  assign enter    = active_q & ready & aligned_q & (waiting_q | (pair_end & ~all_last_q));
  assign take_o   = enter & ~maxpool_i;
  assign starved_o = active_q & waiting_q & ~weights_ready_i & ~maxpool_i;  // also while stop_i ends it
  always_ff @(posedge clk_i) begin
    setup_q   <= {setup_q[1:0], start_i};
    align_q   <= setup_q[1] ? 3'd7 : align_q + 3'd1;
    aligned_q <= ~average_i | setup_q[1] | (align_q == 3'd6);
    done_o    <= active_q & finished & ~stop_i;
    active_q  <= rst_ni & ~stop_i & (start_i | (active_q & ~finished));
    waiting_q <= active_q & ~enter & (setup_q[1] | waiting_q | (pair_end & ~finished));
    in_pair_q <= rst_ni & ~stop_i & (enter | (in_pair_q & ~pair_end));
  end

  // input channels: the next pair's offset is ready before it begins
  logic starting;      // the "next" pair is the first one
  logic first_pair_q;  // the first pair has not begun
  logic [15:0] pair_q, group_q;
  logic [17:0] channel_q, group_channel_q, next_group_q, next_pair_q, next_channel_q, next_offset_q, offset_q;
  assign starting = ~in_pair_q & (setup_q != '0);
  always_ff @(posedge clk_i) begin
    first_pair_q   <= start_i | (first_pair_q & ~enter);
    pair_last_q    <= pair_q == pairs_m1_q;
    group_last_q   <= group_q == groups_m1_q;
    all_last_q     <= pair_last_q & group_last_q;  // known in a pair's third slot
    next_group_q   <= add(group_channel_q, group_step_i);
    next_pair_q    <= add(channel_q, pair_step_i);
    if (starting) next_channel_q <= {2'b00, in_channel_i};
    else if (in_pair_q) next_channel_q <= pair_last_q ? next_group_q : next_pair_q;
    next_offset_q  <= times_phases({next_channel_q[17:16], 2'b00, next_channel_q[15:2]}, log2s_i);
    if (enter) begin
      channel_q <= next_channel_q;
      offset_q  <= next_offset_q;
      if (first_pair_q) begin
        {pair_q, group_q} <= '0;
        group_channel_q   <= next_channel_q;
      end else if (pair_last_q) begin
        pair_q          <= '0;
        group_q         <= group_q + 16'd1;
        group_channel_q <= next_channel_q;
      end else pair_q <= pair_q + 16'd1;
    end
  end

  // output positions: two steps of the map, in a pair's first and third slot
  logic [2:0] entered_q;
  logic [17:0] position_q, row_q, next_position_q, next_row_q, position0_q, position1_q;
  logic [15:0] left_q;  // positions of the row that are left, with this one
  logic single, row_end_q;
  assign single   = group_outputs_i[0] & pair_last_q;  // valid from a pair's second slot on
  always_ff @(posedge clk_i) begin
    entered_q <= {entered_q[1:0], enter};
    row_end_q <= left_q == 16'd1;
    next_position_q <= add(position_q, step_low_i);
    next_row_q      <= add(row_q, step_high_i);
    if (entered_q[0]) position0_q <= position_q;
    if (entered_q[2]) position1_q <= position_q;
    if (start_i) begin
      position_q <= {2'b00, position_i};
      row_q      <= {2'b00, row_i};
      left_q     <= modulus_i - remainder_i;
    end else if (entered_q[0] | (entered_q[2] & ~single)) begin
      position_q <= row_end_q ? next_row_q : next_position_q;
      left_q     <= row_end_q ? modulus_i : left_q - 16'd1;
      if (row_end_q) row_q <= next_row_q;
    end
  end

  // output offsets and banks, valid one cycle after a pair's fifth slot
  function automatic logic [17:0] block_of(input logic [17:0] position, input logic raw, input logic duplicate);
    block_of = raw ? position : {position[17:16], duplicate ? {1'b0, position[15:1]} : {2'b00, position[15:2]}};
  endfunction
  function automatic logic [3:0] banks_of(input logic [1:0] position, input logic duplicate);
    banks_of = duplicate ? (position[0] ? 4'b1010 : 4'b0101) : 4'b0001 << position;
  endfunction
  logic [17:0] out_offset0_q, out_offset1_q, out_row0_q, out_row1_q;
  always_ff @(posedge clk_i) begin
    out_offset0_q <= times_phases(block_of(position0_q, raw_i, duplicate_i), out_log2s_q);
    out_offset1_q <= times_phases(block_of(position1_q, raw_i, duplicate_i), out_log2s_q);
    out_row0_q    <= add(out_offset0_q, out_base_i);
    out_row1_q    <= add(out_offset1_q, out_base_i);
  end

  // ------------------------------------------------------------------------------------------------ slots
  logic feed, feed_en_q, fed_q, last_feed, tap_end_q, block_end_q, long_enough_q;
  logic [4:0] slot_q, py_q, px_q;
  logic [10:0] block_q;
  logic [17:0] block_offset_q;
  logic [1:0] ty0_q, tx0_q, ty2_q, tx2_q;
  logic begun_q;        // first slot of a pair and phase
  logic [3:0] ended_q;  // bit n: a pair and phase whose old words must be read ended n + 1 cycles ago
  logic keep_q, kept_q, reread;
  assign feed        = in_pair_q & ~fed_q & feed_en_q;
  assign last_feed   = feed & block_end_q & tap_end_q;
  assign slot_end    = in_pair_q & long_enough_q & (fed_q | (feed_en_q & block_end_q & tap_end_q));
  assign begin_phase = enter | (slot_end & ~phase_last_q);
  assign reread      = average_i | (residual_i & ~kept_q);
  always_ff @(posedge clk_i) begin
    keep_q <= residual_i & (out_log2s_q <= 3'(KeptLog2s)) & (position0_q[1:0] == 2'd0) & ~single & ~(pair_last_q & group_last_q);
    if (enter) kept_q <= keep_q & ~first_pair_q;
    ended_q      <= {ended_q[2:0], slot_end & reread & rst_ni};
    phase_last_q <= (px_q == out_mask_q) & (py_q == out_mask_q);
    begun_q      <= begin_phase;
    // not in the slot that the memory ports are needed in, and averages every eighth only
    feed_en_q    <= ~ended_q[3] & (~average_i | begin_phase | (slot_q[2:0] == 3'd7));
    slot_q       <= slot_q + 5'd1;  // wraps round in long pairs, for which long_enough_q is high by then
    // the sums of the pair before need their time in the drain; averages end in step with the memory ports
    long_enough_q <= average_i ? slot_q[2:0] == 3'd6 : long_enough_q | (slot_q == (raw_i ? 5'd18 : 5'd3));
    if (feed) begin
      block_q        <= block_end_q ? '0 : block_q + 11'd1;
      block_end_q    <= block_end_q ? one_block_q : block_q == blocks_m2_q;
      block_offset_q <= block_end_q ? offset_q : add_select(block_offset_q, 16'(area_q));
      fed_q          <= block_end_q & tap_end_q;
      if (block_end_q) begin
        tx0_q <= tx0_q == 2'd2 ? {1'b0, taps4_i} : tx0_q + 2'd1;
        ty0_q <= ty0_q + 2'(tx0_q == 2'd2);
        tx2_q <= tx2_q == 2'd2 ? {1'b0, taps4_i} : tx2_q + 2'd1;
        ty2_q <= ty2_q + 2'(tx2_q == 2'd2);
        tap_end_q <= {ty0_q, tx0_q} == (paired_i ? 4'b0100 : 4'b1001);
      end
    end
    // the first tap, for the next pair and phase at the end of each; not when one begins, which is known late in a cycle
    if (setup_q[1] | last_feed) begin
      tap_end_q      <= ~taps9_i & ~taps4_i;
      {ty0_q, tx0_q} <= taps9_i ? 4'b0000 : 4'b0101;
      {ty2_q, tx2_q} <= taps9_i & ~paired_i ? 4'b0000 : 4'b0101;
    end
    if (setup_q[1]) begin
      block_q     <= '0;
      block_end_q <= one_block_q;
    end
    if (slot_end) begin
      px_q <= (px_q + 5'd1) & out_mask_q;
      if (px_q == out_mask_q) py_q <= (py_q + 5'd1) & out_mask_q;
    end
    if (begin_phase) begin
      slot_q         <= '0;
      long_enough_q  <= 1'b0;
      fed_q          <= 1'b0;
      block_offset_q <= enter ? next_offset_q : offset_q;
    end
    if (start_i) {px_q, py_q} <= '0;
  end

  // ------------------------------------------------------------------------------------------------ weights
  logic [9:0] weight_q, base_q, next_base_q, count_q;
  logic [9:0] most_q, expected_q;  // taps * blocks: what a pair's header must say
  assign weights_base_o = base_q[9:1];
  always_ff @(posedge clk_i) begin
    most_q      <= paired_i | taps4_i ? {blocks_i[7:0], 2'd0} : taps9_i ? {blocks_i[6:0], 3'd0} : '0;
    expected_q  <= average_i ? '0 : taps4_i ? most_q : most_q + blocks_i[9:0];
    unlike_o    <= weights_begun_i & ~maxpool_i & (weights_count_i != expected_q);
    next_base_q <= base_q + count_q + 10'(count_q[0]);
    if (pair_end & ~maxpool_i) base_q <= next_base_q;
    if (take_o) count_q <= weights_count_i;
    if (begin_phase) weight_q <= (pair_end & ~maxpool_i) ? next_base_q : base_q;
    else if (feed) weight_q <= weight_q + 10'd1;
    if (clear_i) base_q <= '0;
  end

  // ------------------------------------------------------------------------------------------------ addresses
  // stage 1: input coordinate of a tap, minus 1 .. S; stage 2: phase and lattice step; stage 3: address
  function automatic logic [6:0] coordinate(input logic [4:0] phase, input logic [1:0] tap, input logic stride2);
    coordinate = (stride2 ? {1'b0, phase, 1'b0} : {2'b00, phase}) + 7'(tap) - 7'd1;
  endfunction
  function automatic logic [1:0] step_of(input logic [6:0] at, input logic [2:0] log2s);
    step_of = {at[6], 1'(at >> log2s) & ~at[6]};
  endfunction
  function automatic logic [15:0] phase_of(input logic [4:0] y, input logic [4:0] x, input logic [2:0] log2s);
    phase_of = (16'(y) << log2s) | 16'(x);
  endfunction

  logic [6:0] y0_q, x0_q, y2_q, x2_q;
  logic [17:0] row0_q1, row0_q2, raddr0, raddr2, waddr0, waddr1;
  logic [4:0] py_q1, px_q1;
  logic [15:0] phase0_q2, phase2_q2, phase_out_q2;
  logic [3:0] step0_q2, step2_q2;
  logic [6:0] flags_q1, flags_q2;  // feed, first, final, last, reread, keep, kept
  logic [9:0] weight_q1, weight_q2;
  logic [7:0] wbanks_q1, wbanks_q2;
  always_ff @(posedge clk_i) begin
    // stage 1
    y0_q      <= coordinate(py_q, ty0_q, stride2_i);
    x0_q      <= coordinate(px_q, tx0_q, stride2_i);
    y2_q      <= coordinate(py_q, ty2_q, stride2_i);
    x2_q      <= coordinate(px_q, tx2_q, stride2_i);
    row0_q1   <= add(block_offset_q, in_base_i);
    {py_q1, px_q1} <= {py_q, px_q};
    flags_q1  <= {feed, in_pair_q & begun_q, last_feed, slot_end, slot_end & reread, slot_end & keep_q, slot_end & kept_q} &
                 {7{rst_ni & ~stop_i}};
    weight_q1 <= weight_q;
    wbanks_q1 <= {single ? 4'b0000 : banks_of(position1_q[1:0], duplicate_i), banks_of(position0_q[1:0], duplicate_i)};
    // stage 2
    phase0_q2 <= phase_of(y0_q[4:0] & mask_q, x0_q[4:0] & mask_q, log2s_i);
    phase2_q2 <= phase_of(y2_q[4:0] & mask_q, x2_q[4:0] & mask_q, log2s_i);
    step0_q2  <= {step_of(y0_q, log2s_i), step_of(x0_q, log2s_i)};
    step2_q2  <= {step_of(y2_q, log2s_i), step_of(x2_q, log2s_i)};
    phase_out_q2 <= phase_of(py_q1, px_q1, out_log2s_q);
    row0_q2   <= row0_q1;
    flags_q2  <= flags_q1 & {7{rst_ni & ~stop_i}};
    weight_q2 <= weight_q1;
    wbanks_q2 <= wbanks_q1;
    // stage 3
    raddr0    <= add(row0_q2, phase0_q2);
    raddr2    <= add(row0_q2, phase2_q2);
    waddr0    <= add(out_row0_q, phase_out_q2);
    waddr1    <= add(out_row1_q, phase_out_q2);
    {wbanks1_o, wbanks0_o} <= wbanks_q2;
    step0_o   <= step0_q2;
    step2_o   <= step2_q2;
    weight_addr_o <= weight_q2;
    {feed_o, first_o, final_o, last_o, reread_o, keep_o, kept_o} <= flags_q2 & {7{rst_ni & ~stop_i}};
  end
  assign raddr0_o = raddr0[AddrWidth-1:0];
  assign raddr2_o = raddr2[AddrWidth-1:0];
  assign waddr0_o = waddr0[AddrWidth-1:0];
  assign waddr1_o = waddr1[AddrWidth-1:0];

  // ------------------------------------------------------------------------------------------------ errors
  logic [2:0] miscounted_q;  // travels with the first slot of a pair
  always_ff @(posedge clk_i) begin
    miscounted_q <= {miscounted_q[1:0], entered_q[0] & ~maxpool_i & (count_q != expected_q)} & {3{rst_ni & ~stop_i}};
    error_o      <= 1'b1;
    if (miscounted_q[2]) {error_code_o, error_detail_o} <= {riffle_pkg::ErrStreamHeader, 24'(count_q)};
    else if (feed_o && beyond(raddr0)) {error_code_o, error_detail_o} <= {riffle_pkg::ErrReadRange, detail_of(raddr0)};
    else if (feed_o && beyond(raddr2)) {error_code_o, error_detail_o} <= {riffle_pkg::ErrReadRange, detail_of(raddr2)};
    else if (last_o && beyond(waddr0)) {error_code_o, error_detail_o} <= {riffle_pkg::ErrWriteRange, detail_of(waddr0)};
    else if (last_o && (|wbanks1_o) && beyond(waddr1)) {error_code_o, error_detail_o} <= {riffle_pkg::ErrWriteRange, detail_of(waddr1)};
    else error_o <= 1'b0;
    if (!rst_ni || stop_i) error_o <= 1'b0;
  end
endmodule
