// run_control - one run: descriptor after descriptor, errors, watchdog, counters and cycle log
//
// Computes   launches the descriptors first_i .. first_i + length_i - 1; each when the writes of the one before have landed,
//            or, with overlap_i, as soon as its slots are through
// Contract   start_i only while busy_o is low. At most one error ends a run: the first. After it stop_o is high until the
//            pipeline is empty. quiet_i: cycles that the writes behind sequencer_done_i take, less those of a launch.
// Timing     launch_o quiet_i + 3 cycles (with overlap_i 3) after sequencer_done_i; an error ends the run two cycles after it
//            was seen; done_o when everything is in the memories
module run_control (
    input  logic        clk_i,
    input  logic        rst_ni,
    input  logic        start_i,
    input  logic        stop_i,
    input  logic        hold_i,        // the image is not there yet: do not begin
    input  logic [ 7:0] hold_error_i,  // code of an error in bringing it here, 0: none
    output logic        waiting_o,     // no descriptor has begun
    input  logic [ 7:0] first_i,
    input  logic [ 8:0] length_i,
    input  logic [31:0] watchdog_i,
    output logic        busy_o,
    output logic        done_o,
    output logic [ 7:0] error_o,
    output logic [31:0] error_info_o,
    output logic [ 7:0] current_o,
    output logic [31:0] cycles_o,
    output logic [31:0] fed_o,
    output logic [31:0] starved_o,
    output logic        log_we_o,
    output logic [ 9:0] log_addr_o,
    output logic [31:0] log_wdata_o,
    // descriptor_fetch
    output logic        fetch_o,
    output logic [ 7:0] fetch_index_o,
    input  logic        fetched_i,
    input  logic [ 7:0] fetch_error_i,
    input  logic [ 3:0] fetch_detail_i,
    // sequencer
    output logic        launch_o,
    output logic        stop_o,
    input  logic        sequencer_done_i,
    input  logic [ 5:0] quiet_i,
    input  logic        overlap_i,     // the next descriptor need not wait for the writes of this one
    input  logic        feed_i,
    input  logic        starving_i,
    input  logic        sequencer_error_i,
    input  logic [ 7:0] sequencer_code_i,
    input  logic [23:0] sequencer_detail_i,
    // weight stream
    input  logic        header_error_i,   // no header, or one with another count than the pair that is waited for
    input  logic [ 9:0] header_count_i,
    input  logic        stream_end_i,
    input  logic [ 7:0] stream_error_i,   // code of an error in bringing the stream here, 0: none
    input  logic [23:0] stream_detail_i,
    input  logic        loader_empty_i
);
  localparam int unsigned FinishCycles = 16;  // from the earliest next launch until the last write has landed, and more
  localparam int unsigned FlushCycles = 63;   // longer than anything stays in the pipeline

  typedef enum logic [2:0] {Idle, Check, Fetch, Run, Quiet, Finish, Flush, Done} state_e;
  state_e state_q;
  logic [8:0] left_q;  // descriptors after the current one
  logic [31:0] watchdog_q;
  logic [5:0] wait_q;
  logic [2:0] hungry_q;  // waiting for weights that will not come, cycles: what was fetched ahead is used up by then
  logic bad_program_q, expired_q, running, failed, last, ready;
  assign running = state_q == Check || state_q == Fetch || state_q == Run || state_q == Quiet || state_q == Finish;
  assign last    = left_q == '0;
  assign waiting_o = state_q == Check;
  assign ready   = state_q == Fetch && fetched_i && !fetch_o;  // not what was fetched before

  // The first error of a cycle, registered. An error of the sequencer belongs to the descriptor of two cycles ago; one of
  // the run's end counts when the run has come there.
  logic [7:0] code, code_q, current_q1, current_q2;
  logic [23:0] detail;
  logic [31:0] info_q;
  always_comb begin
    detail = '0;
    code   = riffle_pkg::ErrNone;
    if (stop_i) code = riffle_pkg::ErrAborted;
    else if (sequencer_error_i) {code, detail} = {sequencer_code_i, sequencer_detail_i};
    else if (ready && fetch_error_i != '0) {code, detail} = {fetch_error_i, 24'(fetch_detail_i)};
    else if (waiting_o && hold_error_i != riffle_pkg::ErrNone) code = hold_error_i;
    else if (stream_error_i != riffle_pkg::ErrNone) {code, detail} = {stream_error_i, stream_detail_i};
    else if (hungry_q == '1 && header_error_i) {code, detail} = {riffle_pkg::ErrStreamHeader, 24'(header_count_i)};
    else if (hungry_q == '1) code = riffle_pkg::ErrStreamEnd;
    else if (expired_q) code = riffle_pkg::ErrWatchdog;
    else if (state_q == Finish && wait_q == 6'd2 && !(stream_end_i && loader_empty_i)) code = riffle_pkg::ErrStreamLeft;
  end
  always_ff @(posedge clk_i) begin
    expired_q <= busy_o & (cycles_o >= watchdog_q);
    {current_q2, current_q1} <= {current_q1, current_o};
    code_q    <= (running && !failed) ? code : riffle_pkg::ErrNone;
    info_q    <= {detail, sequencer_error_i ? current_q2 : current_o};
  end
  assign failed = running && code_q != riffle_pkg::ErrNone;

  always_ff @(posedge clk_i) begin
    {launch_o, fetch_o, done_o} <= '0;
    wait_q   <= wait_q == '0 ? '0 : wait_q - 6'd1;
    hungry_q <= (starving_i & (stream_end_i | header_error_i)) ? hungry_q + 3'(hungry_q != '1) : '0;
    unique case (state_q)
      Idle:
      if (start_i) begin
        state_q       <= Check;
        busy_o        <= 1'b1;
        current_o     <= first_i;
        fetch_index_o <= first_i;
        left_q        <= length_i - 9'd1;
        watchdog_q    <= watchdog_i;
        bad_program_q <= length_i == '0 || 10'(first_i) + 10'(length_i) > 10'(riffle_pkg::Descriptors);
        error_o       <= riffle_pkg::ErrNone;
        error_info_o  <= '0;
      end
      Check:
      if (bad_program_q || !hold_i) begin
        state_q <= bad_program_q ? Flush : Fetch;
        stop_o  <= bad_program_q;
        fetch_o <= ~bad_program_q;
        wait_q  <= '0;
        if (bad_program_q) {error_o, error_info_o} <= {riffle_pkg::ErrBadProgram, 24'd0, current_o};
      end
      Fetch:
      if (ready && fetch_error_i == riffle_pkg::ErrNone) begin
        state_q       <= Run;
        launch_o      <= 1'b1;
        fetch_o       <= ~last;
        fetch_index_o <= fetch_index_o + 8'd1;
      end
      Run:
      if (sequencer_done_i) begin
        state_q <= Quiet;
        wait_q  <= (overlap_i & ~last) ? '0 : quiet_i;
      end
      Quiet:
      if (wait_q == '0) begin
        state_q <= last ? Finish : Fetch;
        wait_q  <= 6'(FinishCycles);
        if (!last) begin
          current_o <= current_o + 8'd1;
          left_q    <= left_q - 9'd1;
        end
      end
      Finish, Flush:
      if (wait_q == '0) begin
        state_q <= Done;
        stop_o  <= 1'b0;
        done_o  <= 1'b1;
      end
      default: begin  // Done
        state_q <= Idle;
        busy_o  <= 1'b0;
      end
    endcase
    if (failed) begin
      state_q      <= Flush;
      stop_o       <= 1'b1;
      wait_q       <= 6'(FlushCycles);
      error_o      <= code_q;
      error_info_o <= info_q;
      {launch_o, fetch_o, done_o} <= '0;
    end
    if (!rst_ni) begin
      state_q <= Idle;
      {launch_o, fetch_o, done_o, busy_o, stop_o} <= '0;
    end
  end

  // counters of the run
  logic begins;
  assign begins = start_i & ~busy_o;
  event_counter u_cycles (.clk_i, .restart_i(begins), .event_i(busy_o), .count_o(cycles_o));
  event_counter u_fed (.clk_i, .restart_i(begins), .event_i(busy_o & feed_i), .count_o(fed_o));
  event_counter u_starved (.clk_i, .restart_i(begins), .event_i(starving_i), .count_o(starved_o));

  // cycle log: one entry per descriptor, from the end of the one before to its own, written word by word behind it
  logic ends, ends_q, restart_q;  // the counters have the last cycle of an entry one cycle later
  logic [3:0][31:0] counts, entry_q;
  logic [7:0] entry_index_q;
  logic [2:0] entry_left_q;  // words to write
  assign ends = state_q == Quiet && wait_q == '0;
  event_counter u_entry_cycles (.clk_i, .restart_i(restart_q), .event_i(1'b1), .count_o(counts[0]));
  event_counter u_entry_fed (.clk_i, .restart_i(restart_q), .event_i(feed_i), .count_o(counts[1]));
  event_counter u_entry_starved (.clk_i, .restart_i(restart_q), .event_i(starving_i), .count_o(counts[2]));
  event_counter u_entry_drain (.clk_i, .restart_i(restart_q), .event_i(state_q == Quiet), .count_o(counts[3]));
  always_ff @(posedge clk_i) begin
    ends_q    <= ends & rst_ni;
    restart_q <= ends | ~busy_o | (waiting_o & hold_i);  // no descriptor bears the wait for an image
    if (ends) entry_index_q <= current_o;
    if (ends_q) begin
      entry_q      <= counts;
      entry_left_q <= 3'(riffle_pkg::LogWords);
    end else if (entry_left_q != '0) begin
      entry_q      <= {32'd0, entry_q[3:1]};
      entry_left_q <= entry_left_q - 3'd1;
    end
    log_we_o    <= rst_ni & (entry_left_q != '0);
    log_addr_o  <= {entry_index_q, 2'd0 - entry_left_q[1:0]};
    log_wdata_o <= entry_q[0];
    if (!rst_ni) entry_left_q <= '0;
  end
endmodule
