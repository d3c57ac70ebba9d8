// engine - runs a program of descriptors on the activation memory
//
// Computes   docs/architecture.md, "What a descriptor executes": grouped convolution with channel shuffle as write address,
//            maximum, global average
// Contract   start_i only while busy_o is low; first_i, length_i, lane_i and watchdog_i are taken with it. stop_i aborts.
//            done_o is a pulse, with error_o and error_info_o; busy_o falls in the cycle after it.
//            A run begins when hold_i is low; until then waiting_o is high. program_rdata_i two cycles after its address, act_rdata_i three; no stream word is offered with stream_end_i
// Timing     slot = one read of each bank. The skew of the DSP cascade is made at the source: bank k is read k cycles after
//            bank 0, with its lattice shift and its weights; no data word is ever delayed. Cycle of a slot, bank 0:
//            0 address | 1 2 3 memory | 4 5 lattice shift | 6 A, B | 7 M | 8 P ... 11 P of bank 3 | 12 split | 13 sum |
//            14 captured | 15..22 requantise | 27 words complete | 28 first, 29 second channel written
// Reference  riffle.isa.emulator
module engine #(
    parameter int unsigned Rows            = 7,    // lattice
    parameter int unsigned Columns         = 7,
    parameter int unsigned ActivationDepth = 2048  // words per bank
) (
    input  logic         clk_i,
    input  logic         rst_ni,
    input  logic         start_i,
    input  logic         stop_i,
    input  logic         hold_i,
    input  logic [  7:0] hold_error_i,
    output logic         waiting_o,
    input  logic [  7:0] first_i,
    input  logic [  8:0] length_i,
    input  logic [  5:0] lane_i,
    input  logic [ 31:0] watchdog_i,
    output logic         busy_o,
    output logic         done_o,
    output logic [  7:0] error_o,
    output logic [ 31:0] error_info_o,
    output logic [  7:0] current_o,
    output logic [ 31:0] cycles_o,
    output logic [ 31:0] fed_o,
    output logic [ 31:0] starved_o,
    output logic [ 10:0] program_addr_o,
    input  logic [ 31:0] program_rdata_i,
    output logic         log_we_o,
    output logic [  9:0] log_addr_o,
    output logic [ 31:0] log_wdata_o,
    input  logic         stream_valid_i,
    output logic         stream_ready_o,
    input  logic [127:0] stream_data_i,
    input  logic         stream_end_i,
    input  logic [  7:0] stream_error_i,
    input  logic [ 23:0] stream_detail_i,
    output logic [3:0][$clog2(ActivationDepth)-1:0] act_raddr_o,
    input  logic [3:0][      Rows*Columns*8-1:0]    act_rdata_i,
    output logic [3:0]                              act_we_o,
    output logic [$clog2(ActivationDepth)-1:0]      act_waddr_o,
    output logic [Rows*Columns*8-1:0]               act_wdata_o
);
  localparam int unsigned Lanes = Rows * Columns;
  localparam int unsigned Width = Lanes * 8;
  localparam int unsigned AddrWidth = $clog2(ActivationDepth);
  localparam int unsigned AccWidth = riffle_pkg::AccumulatorBits;
  localparam int unsigned LowWidth = AccWidth / 2;  // accumulators are added in two halves
  if (Lanes > 64 || Lanes < 1) begin : gen_bad_lattice
    $error("engine: the lattice must have 1 to 64 lanes");
  end

  // Cycles of a slot (header) at which things happen
  localparam int unsigned Reread = 5;      // address of the output's old words, after last
  localparam int unsigned AverageIn = 3;   // words at global_average
  localparam int unsigned MaxIn = 5;       // words at max_pool
  localparam int unsigned ParamsAt = 4;    // bias, multiplier and shift on loader outputs
  localparam int unsigned SumAt = 13;
  localparam int unsigned MaxOut = 7;      // max_pool's first word, after last
  localparam int unsigned AverageOut = 13; // global_average's first word, after last
  localparam int unsigned DrainOut = 27;   // drain's first words, after last
  localparam int unsigned Launch = 9;      // first slot, after launch
  localparam int unsigned DrainSettings = 16;  // those of the first slot's descriptor reach the drain: with overlap the sums
                                               // before need theirs for 15 cycles more, its own come in the 17th

  // From the end of the loops to the next launch: the next first read must find the last write done. The loops' end is
  // seen three cycles before the last slot; a write is seen by reads whose address comes a cycle later.
  localparam logic [5:0] QuietConv    = 6'(DrainOut + 3 - Launch);
  localparam logic [5:0] QuietRaw     = 6'(DrainOut + 3 - Launch + 15);  // three passes more
  localparam logic [5:0] QuietMax     = 6'(MaxOut + 5 - Launch);
  localparam logic [5:0] QuietAverage = 6'(AverageOut + 5 - Launch);

  // ------------------------------------------------------------------------------------------------ run and descriptors
  logic fetch, fetched, launch, stop, start_q, sequencer_done, sequencer_error, feed, starving, header_error, loader_empty;
  logic [7:0] fetch_index, fetch_error, sequencer_code;
  logic [3:0] fetch_detail;
  logic [5:0] quiet, lane_q, average_lane_q;
  logic [9:0] header_count, weights_count;
  logic weights_begun, unlike;
  logic [23:0] sequencer_detail;
  logic is_max, is_average, overlap_q;
  // verilator lint_off UNUSEDSIGNAL
  riffle_pkg::descriptor_t fetched_descriptor, descriptor_q;  // have spare bits
  // verilator lint_on UNUSEDSIGNAL
  run_control u_run_control (
      .clk_i, .rst_ni, .start_i, .stop_i, .hold_i, .hold_error_i, .waiting_o, .first_i, .length_i, .watchdog_i,
      .busy_o, .done_o, .error_o, .error_info_o, .current_o, .cycles_o, .fed_o, .starved_o,
      .log_we_o, .log_addr_o, .log_wdata_o,
      .fetch_o(fetch), .fetch_index_o(fetch_index), .fetched_i(fetched), .fetch_error_i(fetch_error),
      .fetch_detail_i(fetch_detail), .launch_o(launch), .stop_o(stop), .sequencer_done_i(sequencer_done),
      .quiet_i(quiet), .overlap_i(overlap_q), .feed_i(feed), .starving_i(starving),
      .sequencer_error_i(sequencer_error), .sequencer_code_i(sequencer_code), .sequencer_detail_i(sequencer_detail),
      .header_error_i(header_error | unlike), .header_count_i(unlike ? weights_count : header_count), .stream_end_i, .stream_error_i,
      .stream_detail_i, .loader_empty_i(loader_empty)
  );
  descriptor_fetch u_descriptor_fetch (
      .clk_i, .rst_ni, .fetch_i(fetch), .index_i(fetch_index), .program_addr_o, .program_rdata_i,
      .valid_o(fetched), .descriptor_o(fetched_descriptor), .error_o(fetch_error), .error_detail_o(fetch_detail)
  );
  assign quiet = is_max ? QuietMax : is_average ? QuietAverage : descriptor_q.raw ? QuietRaw : QuietConv;
  always_ff @(posedge clk_i) begin
    start_q <= launch & rst_ni;
    if (launch) begin
      descriptor_q <= fetched_descriptor;
      is_max       <= fetched_descriptor.opcode == riffle_pkg::OpMaxpool;
      is_average   <= fetched_descriptor.opcode == riffle_pkg::OpGlobalAverage;
    end
    // a convolution behind a convolution: both write through the drain, in order; one that is refused waits for the errors
    // of the one before
    overlap_q <= fetched & (fetch_error == riffle_pkg::ErrNone) & fetched_descriptor.overlap & (fetched_descriptor.opcode == riffle_pkg::OpConv) &
                 ~is_max & ~is_average & ~descriptor_q.raw & ~fetched_descriptor.raw;
    if (start_i) lane_q <= lane_i;
  end

  // What the datapath needs of the descriptor changes when its first slot comes there. Launches that overlap are at least
  // DrainSettings apart, since the next descriptor must have been fetched when the loops end.
  logic [Launch+DrainSettings-2:0] launched_q;
  logic conv_q, max_q, average_q, residual_q, entering_raw_q, raw_q, drain_residual_q;
  logic [7:0] fill_q, zero_point_q, drain_zero_point_q;
  always_ff @(posedge clk_i) begin
    launched_q <= {launched_q[Launch+DrainSettings-3:0], launch} & {(Launch + DrainSettings - 1) {rst_ni}};
    if (launched_q[Launch-2]) begin
      conv_q       <= ~is_max & ~is_average;
      max_q        <= is_max;
      average_q    <= is_average;
      residual_q   <= descriptor_q.residual;
      fill_q         <= descriptor_q.fill;
      zero_point_q   <= descriptor_q.zero_point;
      average_lane_q <= lane_q + descriptor_q.fill[5:0];
      entering_raw_q <= descriptor_q.raw;
    end
    if (launched_q[Launch+DrainSettings-2]) begin
      raw_q              <= entering_raw_q;
      drain_residual_q   <= residual_q;
      drain_zero_point_q <= zero_point_q;
    end
  end

  // ------------------------------------------------------------------------------------------------ loops and weights
  logic take, weights_ready, first, final_feed, last, reread, keep, kept;
  logic [9:0] weight_addr;
  logic [8:0] weights_base;
  logic [3:0] next_id, step0, step2, wbanks0, wbanks1;
  logic [AddrWidth-1:0] raddr0, raddr2, waddr0, waddr1;
  sequencer #(.Depth(ActivationDepth)) u_sequencer (
      .clk_i, .rst_ni, .start_i(start_q), .stop_i(stop), .done_o(sequencer_done),
      .maxpool_i(is_max), .average_i(is_average), .log2s_i(descriptor_q.log2s), .stride2_i(descriptor_q.stride2),
      .taps9_i(descriptor_q.taps9), .taps4_i(descriptor_q.taps4), .paired_i(descriptor_q.paired), .residual_i(descriptor_q.residual),
      .duplicate_i(descriptor_q.duplicate), .raw_i(descriptor_q.raw),
      .in_base_i(descriptor_q.in_base), .out_base_i(descriptor_q.out_base), .in_channel_i(descriptor_q.in_channel),
      .group_step_i(descriptor_q.group_step), .pair_step_i(descriptor_q.pair_step), .blocks_i(descriptor_q.blocks),
      .groups_i(descriptor_q.groups), .group_outputs_i(descriptor_q.group_outputs), .position_i(descriptor_q.position),
      .modulus_i(descriptor_q.modulus), .step_low_i(descriptor_q.step_low), .step_high_i(descriptor_q.step_high),
      .row_i(descriptor_q.row), .remainder_i(descriptor_q.remainder),
      .clear_i(~busy_o), .weights_ready_i(weights_ready), .weights_count_i(weights_count),
      .weights_begun_i(weights_begun), .unlike_o(unlike), .take_o(take),
      .weights_base_o(weights_base), .starved_o(starving),
      .feed_o(feed), .first_o(first), .final_o(final_feed), .last_o(last), .reread_o(reread),
      .keep_o(keep), .kept_o(kept), .raddr0_o(raddr0), .raddr2_o(raddr2),
      .step0_o(step0), .step2_o(step2), .weight_addr_o(weight_addr), .waddr0_o(waddr0), .waddr1_o(waddr1),
      .wbanks0_o(wbanks0), .wbanks1_o(wbanks1),
      .error_o(sequencer_error), .error_code_o(sequencer_code), .error_detail_o(sequencer_detail)
  );

  logic [63:0] weight;
  logic [1:0][24:0] bias;
  logic [1:0][16:0] mult;
  logic [1:0][3:0] shift;
  logic [ParamsAt-1:0][3:0] id_q;  // number of the pair, as it travels with a slot; index = cycle of the slot
  weight_loader u_weight_loader (
      .clk_i, .rst_ni, .enable_i(busy_o & ~stop), .stream_valid_i, .stream_ready_o, .stream_data_i,
      .take_i(take), .base_i(weights_base), .ready_o(weights_ready), .begun_o(weights_begun), .count_o(weights_count), .id_o(next_id),
      .empty_o(loader_empty), .error_o(header_error), .error_count_o(header_count),
      .weight_addr_i(weight_addr), .weight_o(weight), .params_id_i(id_q[ParamsAt-1]),
      .bias_o(bias), .mult_o(mult), .shift_o(shift)
  );

  // ------------------------------------------------------------------------------------------------ what travels with a slot
  // index = cycle of the slot, bank 0
  logic [MaxIn:0] feed_q, first_short_q, final_q;
  logic [SumAt-3:0] first_q;
  logic [Reread+3:0] last_q;
  logic [Reread-1:0] reread_q;
  logic [Reread+3:0] keep_q, kept_q;
  logic [SumAt-1:1] capture_q;  // last of a convolution: by then the next descriptor may have begun
  logic [DrainOut:0][AddrWidth-1:0] waddr0_q, waddr1_q;
  logic [DrainOut:0][3:0] wbanks0_q, wbanks1_q;
  logic [6:0][3:0] step0_q, step2_q;
  logic [2:0][3:0] id_early_q;  // the pair in the loops is three cycles ahead of its slots, and entered a cycle before
  logic [3:0] id_taken_q;
  always_ff @(posedge clk_i) begin
    if (take) id_taken_q <= next_id;
    id_early_q    <= {id_early_q[1:0], id_taken_q};
    id_q          <= {id_q[ParamsAt-2:0], id_early_q[2]};
    feed_q        <= {feed_q[MaxIn-1:0], feed};
    first_q       <= {first_q[SumAt-4:0], first};
    first_short_q <= {first_short_q[MaxIn-1:0], first};
    final_q       <= {final_q[MaxIn-1:0], final_feed} & {(MaxIn + 1) {rst_ni}};
    last_q        <= {last_q[Reread+2:0], last} & {(Reread + 4) {rst_ni & ~stop}};
    reread_q      <= {reread_q[Reread-2:0], reread};
    keep_q        <= {keep_q[Reread+2:0], keep};
    kept_q        <= {kept_q[Reread+2:0], kept};
    capture_q     <= {capture_q[SumAt-2:1], last_q[0] & conv_q} & {(SumAt - 1) {rst_ni & ~stop}};
    waddr0_q      <= {waddr0_q[DrainOut-1:0], waddr0};
    waddr1_q      <= {waddr1_q[DrainOut-1:0], waddr1};
    wbanks0_q     <= {wbanks0_q[DrainOut-1:0], wbanks0};
    wbanks1_q     <= {wbanks1_q[DrainOut-1:0], wbanks1};
    step0_q       <= {step0_q[5:0], step0};
    step2_q       <= {step2_q[5:0], step2};
  end

  // ------------------------------------------------------------------------------------------------ reads and lattice shift
  logic [3:0][AddrWidth-1:0] read_addr;
  logic [3:1][AddrWidth-1:0] read_late1_q;
  logic [3:2][AddrWidth-1:0] read_late2_q;
  logic [AddrWidth-1:0] read_late3_q;
  for (genvar k = 0; k < 4; k++) begin : gen_read_addr
    assign read_addr[k] = !reread_q[Reread-1] ? (k < 2 ? raddr0 : raddr2) :
                          (average_q | wbanks0_q[Reread-1][k]) ? waddr0_q[Reread-1] : waddr1_q[Reread-1];
  end
  always_ff @(posedge clk_i) begin
    read_late1_q <= read_addr[3:1];
    read_late2_q <= read_late1_q[3:2];
    read_late3_q <= read_late2_q[3];
    act_raddr_o  <= {read_late3_q, read_late2_q[2], read_late1_q[1], read_addr[0]};
  end

  logic [3:0][Width-1:0] shifted;
  for (genvar k = 0; k < 4; k++) begin : gen_shift
    lattice_shift #(.Rows(Rows), .Columns(Columns)) u_shift (
        .clk_i, .dy_i(k < 2 ? step0_q[2+k][3:2] : step2_q[2+k][3:2]), .dx_i(k < 2 ? step0_q[3+k][1:0] : step2_q[3+k][1:0]),
        .fill_i(fill_q), .word_i(act_rdata_i[k]), .word_o(shifted[k]));
  end

  // ------------------------------------------------------------------------------------------------ array
  // weights: packed once, delayed to their bank's cycle, one copy per lattice row: keep tells Yosys not to merge the copies,
  // dont_touch tells Vivado
  (* keep *) logic [3:0][15:0] packed_q;
  logic [3:1][15:0] packed_late1_q;
  logic [3:2][15:0] packed_late2_q;
  logic [15:0] packed_late3_q;
  logic [3:0][15:0] weight_q;
  (* keep, dont_touch = "true" *) logic [Rows-1:0][63:0] row_weight_q;
  (* keep, dont_touch = "true" *) logic [Rows-1:0] row_first_q;
  (* keep, dont_touch = "true" *) logic [Rows-1:0][1:0][AccWidth-1:0] row_bias_q;
  logic [SumAt-1-ParamsAt:1][1:0][AccWidth-1:0] bias_q;  // index: cycles after ParamsAt
  logic [1:0][AccWidth-1:0] row_bias;                    // high halves of accumulators are a cycle behind the low ones
  for (genvar o = 0; o < 2; o++) begin : gen_bias
    assign row_bias[o][LowWidth-1:0]        = bias_q[SumAt-2-ParamsAt][o][LowWidth-1:0];
    assign row_bias[o][AccWidth-1:LowWidth] = bias_q[SumAt-1-ParamsAt][o][AccWidth-1:LowWidth];
  end
  logic [SumAt-ParamsAt:1][41:0] scale_q;             // shifts and multipliers
  always_ff @(posedge clk_i) begin
    for (int k = 0; k < 4; k++) begin
      packed_q[k] <= {weight[16*k+8+:8] - 8'(weight[16*k+7]), weight[16*k+:8]};
      if (!(feed_q[2] & conv_q)) packed_q[k] <= '0;
    end
    packed_late1_q <= packed_q[3:1];
    packed_late2_q <= packed_late1_q[3:2];
    packed_late3_q <= packed_late2_q[3];
    weight_q       <= {packed_late3_q, packed_late2_q[2], packed_late1_q[1], packed_q[0]};
    row_weight_q   <= {Rows{weight_q}};
    row_first_q    <= {Rows{first_q[SumAt-3]}};
    bias_q         <= {bias_q[SumAt-2-ParamsAt:1], bias};
    row_bias_q     <= {Rows{row_bias}};
    scale_q        <= {scale_q[SumAt-1-ParamsAt:1], {shift, mult}};
  end

  logic [Lanes-1:0][AccWidth-1:0] acc0, acc1;
  for (genvar l = 0; l < Lanes; l++) begin : gen_lane
    logic [4*8-1:0] act;  // flat: Yosys reads no packed array here
    assign act = {shifted[3][8*l+:8], shifted[2][8*l+:8], shifted[1][8*l+:8], shifted[0][8*l+:8]};
    mac_lane #(.AccWidth(AccWidth), .LowWidth(LowWidth)) u_lane (
        .clk_i, .act_i(act), .weight_i(row_weight_q[l/Columns]), .first_i(row_first_q[l/Columns]),
        .bias0_i(row_bias_q[l/Columns][0]), .bias1_i(row_bias_q[l/Columns][1]),
        .acc0_o(acc0[l]), .acc1_o(acc1[l]));
  end

  // ------------------------------------------------------------------------------------------------ drain
  logic [1:0][Width-1:0] old;
  residual_words #(.Width(Width)) u_residual_words (
      .clk_i, .rst_ni(rst_ni & ~stop), .valid_i(last_q[Reread+3]), .keep_i(keep_q[Reread+3]), .kept_i(kept_q[Reread+3]),
      .banks0_i(wbanks0_q[Reread+3]), .banks1_i(wbanks1_q[Reread+3]), .word_i(act_rdata_i), .old_o(old));
  logic [1:0][Width-1:0] drained;
  logic drain_done;
  logic [1:0] drain_pass;
  drain #(.Lanes(Lanes), .AccWidth(AccWidth), .LowWidth(LowWidth)) u_drain (
      .clk_i, .rst_ni(rst_ni & ~stop), .capture_i(capture_q[SumAt-1]), .acc0_i(acc0), .acc1_i(acc1),
      .mult_i(scale_q[SumAt-ParamsAt][33:0]), .shift_i(scale_q[SumAt-ParamsAt][41:34]), .zero_point_i(drain_zero_point_q),
      .residual_add_i(drain_residual_q), .raw_i(raw_q), .residual_i(old), .word_o(drained), .done_o(drain_done),
      .pass_o(drain_pass));

  // ------------------------------------------------------------------------------------------------ pools
  logic [3:0] max_write, average_write;
  logic [Width-1:0] max_word, average_word;
  max_pool #(.Lanes(Lanes)) u_max_pool (
      .clk_i, .rst_ni(rst_ni & ~stop), .valid_i(feed_q[MaxIn] & max_q), .first_i(first_short_q[MaxIn]),
      .last_i(final_q[MaxIn] & max_q), .word_i(shifted), .write_o(max_write), .word_o(max_word));
  global_average #(.Rows(Rows), .Columns(Columns), .AccWidth(AccWidth)) u_global_average (
      .clk_i, .rst_ni(rst_ni & ~stop), .feed_i(feed_q[AverageIn] & average_q), .first_i(first_short_q[AverageIn]),
      .last_i(final_q[AverageIn]), .bias_i($signed(bias_q[2][0])), .mult_i(scale_q[6][16:0]), .shift_i(scale_q[6][37:34]),
      .zero_point_i(zero_point_q), .lane_i(average_lane_q), .word_i(act_rdata_i), .write_o(average_write), .word_o(average_word));

  // ------------------------------------------------------------------------------------------------ writes
  // one word a cycle: the drain's two channels, or the four banks of a pool; addresses are kept for those that follow
  logic second_q;
  logic [Width-1:0] second_word_q;
  logic [AddrWidth-1:0] kept0_q, kept1_q;
  logic [3:0] kept_banks0_q, kept_banks1_q;
  logic [1:0] pass_q;
  logic fresh;  // this is the first word of a pair and phase
  logic [AddrWidth-1:0] fresh_addr;
  assign fresh      = average_write[0] | max_write[0] | (drain_done & drain_pass == '0);
  assign fresh_addr = average_q ? waddr0_q[AverageOut] : max_q ? waddr0_q[MaxOut] : waddr0_q[DrainOut];
  always_ff @(posedge clk_i) begin
    second_q      <= drain_done & rst_ni;
    pass_q        <= drain_pass;
    second_word_q <= drained[1];
    if (fresh) begin
      kept0_q       <= fresh_addr;
      kept1_q       <= waddr1_q[DrainOut];
      kept_banks0_q <= wbanks0_q[DrainOut];
      kept_banks1_q <= wbanks1_q[DrainOut];
    end
    act_waddr_o <= second_q ? kept1_q : fresh ? fresh_addr : kept0_q;
    act_wdata_o <= second_q ? second_word_q : max_q ? max_word : average_q ? average_word : drained[0];
    act_we_o    <= max_write | average_write;
    if (drain_done) act_we_o <= raw_q ? 4'b0001 << drain_pass : fresh ? wbanks0_q[DrainOut] : kept_banks0_q;
    if (second_q) act_we_o <= !raw_q ? kept_banks1_q : kept_banks1_q == '0 ? '0 : 4'b0001 << pass_q;
    if (!rst_ni || stop) act_we_o <= '0;
  end
endmodule
