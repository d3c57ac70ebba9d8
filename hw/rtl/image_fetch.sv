// image_fetch - brings an image from DDR into the activation memory, sorted into phases and lanes
//
// Computes   pixel (y, x) of an image of Rows*S x Columns*S pixels (S = 2^log2s_i; four bytes each: R, G, B, unused; rows
//            without gaps): R, G, B minus 128 go to banks 0, 1, 2 at base_i + (y mod S)*S + (x mod S), lane
//            (y div S)*Columns + (x div S): what the image window of act_memory does
// Contract   start_i while busy_o is low; address_i, base_i and log2s_i are held while busy_o is high. Nothing is written
//            while hold_i is high. abort_i ends it; what is in flight is dropped by read_master. error_o, a pulse with
//            error_code_o, ends it too: BAD_IMAGE where S is not 2 to 2^LOG2S_MAX, address_i is not a multiple of 128, the
//            image does not fit the memory behind base_i or wraps round the addresses, and then nothing is asked for;
//            IMAGE_RESPONSE where the memory has refused a read.
// Timing     a phase row (Rows*Columns bursts of S/2 beats) is read while the one before is written: 3*S writes, one in each
//            cycle with write_ready_i
// Reference  riffle.isa.layout.to_words
module image_fetch #(
    parameter int unsigned Rows    = 7,    // lattice
    parameter int unsigned Columns = 7,
    parameter int unsigned Depth   = 2048  // words per bank
) (
    input  logic                       clk_i,
    input  logic                       rst_ni,
    input  logic                       start_i,
    input  logic                       abort_i,
    input  logic                       hold_i,
    input  logic [31:0]                address_i,
    input  logic [15:0]                base_i,
    input  logic [ 2:0]                log2s_i,
    output logic                       busy_o,
    output logic                       error_o,
    output logic [ 7:0]                error_code_o,
    output logic                       req_valid_o,
    input  logic                       req_ready_i,
    output logic [31:0]                req_addr_o,
    output logic [ 3:0]                req_last_o,
    input  logic                       data_valid_i,
    input  logic [63:0]                data_i,
    input  logic                       data_error_i,
    output logic                       write_valid_o,
    input  logic                       write_ready_i,
    output logic [ 3:0]                write_banks_o,
    output logic [$clog2(Depth)-1:0]   write_addr_o,
    output logic [Rows*Columns*8-1:0]  write_word_o
);
  localparam int unsigned Lanes = Rows * Columns;
  localparam int unsigned AddrWidth = $clog2(Depth);
  localparam int unsigned LaneWidth = $clog2(Lanes + 1);

  // Offsets count pairs of pixels, 8 bytes; all of this is known long before it is used
  localparam int unsigned OffsetWidth = $clog2(Rows * Columns) + 9;  // largest image: 32 * 32 / 2 pairs for each lane
  logic [4:0] last_phase;                               // S - 1
  logic [OffsetWidth-1:0] burst_q, pitch_q, lane_pitch_q;  // of a burst, a row of the image, a lane row
  always_ff @(posedge clk_i) begin
    last_phase   <= ~(5'h1f << log2s_i);
    burst_q      <= OffsetWidth'(1) << (log2s_i - 3'd1);
    pitch_q      <= OffsetWidth'(Columns) << (log2s_i - 3'd1);
    lane_pitch_q <= pitch_q << log2s_i;
  end

  // ------------------------------------------------------------------------------------------------ what is asked for
  // judged in the three cycles behind start_i: before the first request is made
  logic [10:0] last_block;    // of 128 bytes: the image's last one, from its first
  logic [14:0] phases_q;
  logic [16:0] end_q;         // address behind the image's last word
  logic [2:0] started_q;      // start_i one to three cycles ago
  logic unfit_q, refused;
  always_comb begin
    last_block = '0;
    for (int s = 1; s <= int'(riffle_pkg::Log2sMax); s++) begin
      if (log2s_i == 3'(s)) last_block = 11'(((Lanes << (2 * s)) * 4 - 1) / 128);
    end
  end
  always_ff @(posedge clk_i) begin
    started_q <= {started_q[1:0], start_i};
    phases_q  <= 15'd1 << {log2s_i, 1'b0};
    end_q     <= 17'(base_i) + 17'(phases_q);
    unfit_q   <= log2s_i == '0 || log2s_i > 3'(riffle_pkg::Log2sMax) || address_i[6:0] != '0 ||
                 (&address_i[31:18] && last_block > ~address_i[17:7]);  // no room to the end
    if (!rst_ni) started_q <= '0;
  end
  assign refused = started_q[2] & (unfit_q | (32'(end_q) > Depth));

  // ------------------------------------------------------------------------------------------------ requests
  // one burst for each lane of a phase row; at most two phase rows are under way, one for each half of the buffer
  logic asking_q, asked, lane_last, row_done, written;
  logic [1:0] rows_q;      // phase rows that were begun and not written
  logic [4:0] ask_phase_q;
  logic [2:0] ask_x_q, ask_y_q;
  logic [OffsetWidth-1:0] segment_q, lane_row_q, phase_row_q;  // of the burst, its lane row and its phase row
  logic [OffsetWidth-1:0] next_lane_row_q, next_phase_row_q;
  logic [2:0] settled_q;   // the sums below are those of the burst
  logic carry_q;
  assign req_valid_o = asking_q & settled_q[2];
  assign req_last_o  = last_phase[4:1];
  assign asked       = req_valid_o & req_ready_i;
  assign lane_last   = ask_x_q == 3'(Columns - 1);
  assign row_done    = asked & lane_last & (ask_y_q == 3'(Rows - 1));
  logic more_q;  // phase rows are left to ask for
  always_ff @(posedge clk_i) begin
    settled_q        <= {settled_q[1:0], 1'b1};
    next_lane_row_q  <= lane_row_q + lane_pitch_q;
    next_phase_row_q <= phase_row_q + pitch_q;
    // the address in two halves, one after the other; that of the image is a multiple of 128
    {carry_q, req_addr_o[OffsetWidth+2:0]} <= {1'b0, address_i[OffsetWidth+2:0]} + {1'b0, segment_q, 3'd0};
    req_addr_o[31:OffsetWidth+3]           <= address_i[31:OffsetWidth+3] + (29 - OffsetWidth)'(carry_q);
    if (asked) begin
      settled_q <= '0;
      ask_x_q   <= lane_last ? '0 : ask_x_q + 3'd1;
      segment_q <= segment_q + burst_q;
      if (lane_last) begin
        ask_y_q    <= ask_y_q + 3'd1;
        lane_row_q <= next_lane_row_q;
        segment_q  <= next_lane_row_q;
      end
    end
    if (row_done) begin
      ask_y_q     <= '0;
      ask_phase_q <= ask_phase_q + 5'd1;
      phase_row_q <= next_phase_row_q;
      lane_row_q  <= next_phase_row_q;
      segment_q   <= next_phase_row_q;
      more_q      <= ask_phase_q != last_phase;
    end
    // a phase row begins when a half of the buffer is free
    if (row_done) asking_q <= 1'b0;
    else if (busy_o && more_q && !asking_q && rows_q != 2'd2) asking_q <= 1'b1;
    rows_q <= rows_q + 2'(row_done) - 2'(written);
    if (start_i) begin
      {ask_x_q, ask_y_q, ask_phase_q, settled_q} <= '0;
      {phase_row_q, lane_row_q, segment_q} <= '0;
      more_q <= 1'b1;
      rows_q <= '0;
    end
    if (!busy_o || abort_i || refused || error_o) asking_q <= 1'b0;
  end

  // ------------------------------------------------------------------------------------------------ buffer
  // each lane has a small memory of pixels, even and odd ones apart: two halves of 16 pairs
  logic half_in_q, half_out_q, arrived, filled, row_full;
  logic [3:0] beat_q, pair;
  logic [LaneWidth-1:0] lane_q;
  logic [1:0] full_q;  // halves that wait to be written
  assign arrived  = data_valid_i & busy_o;
  assign filled   = arrived & (beat_q == last_phase[4:1]);
  assign row_full = filled & (lane_q == LaneWidth'(Lanes - 1));
  always_ff @(posedge clk_i) begin
    if (arrived) beat_q <= filled ? '0 : beat_q + 4'd1;
    if (filled) lane_q <= row_full ? '0 : lane_q + 1'b1;
    if (row_full) half_in_q <= ~half_in_q;
    full_q[0] <= (full_q[0] | (row_full & ~half_in_q)) & ~(written & ~half_out_q);
    full_q[1] <= (full_q[1] | (row_full & half_in_q)) & ~(written & half_out_q);
    error_o   <= (refused | (arrived & data_error_i)) & busy_o & ~error_o & rst_ni;
    error_code_o <= refused ? riffle_pkg::ErrBadImage : riffle_pkg::ErrImageResponse;
    if (start_i) {beat_q, lane_q, half_in_q, full_q} <= '0;
  end

  logic odd, load;
  logic [Lanes-1:0][2:0][7:0] pixels_q;
  for (genvar l = 0; l < Lanes; l++) begin : gen_lane
    (* ram_style = "distributed" *) logic [23:0] even_pixels[32];
    (* ram_style = "distributed" *) logic [23:0] odd_pixels[32];
    always_ff @(posedge clk_i) begin
      if (arrived && lane_q == LaneWidth'(l)) begin
        even_pixels[{half_in_q, beat_q}] <= data_i[23:0] ^ 24'h808080;
        odd_pixels[{half_in_q, beat_q}]  <= data_i[55:32] ^ 24'h808080;
      end
      if (load) pixels_q[l] <= odd ? odd_pixels[{half_out_q, pair}] : even_pixels[{half_out_q, pair}];
    end
  end

  // ------------------------------------------------------------------------------------------------ writes
  // a phase is loaded, then its three channels are written
  logic loaded_q, phase_written;
  logic [4:0] out_y_q, out_x_q;  // phase
  logic [1:0] channel_q;
  assign {pair, odd}   = out_x_q;
  assign load          = busy_o & ~loaded_q & full_q[half_out_q] & ~hold_i;
  assign write_valid_o = loaded_q & ~hold_i;
  assign phase_written = write_valid_o & write_ready_i & (channel_q == 2'd2);
  assign written       = phase_written & (out_x_q == last_phase);
  for (genvar l = 0; l < Lanes; l++) begin : gen_word
    assign write_word_o[8*l+:8] = channel_q[1] ? pixels_q[l][2] : channel_q[0] ? pixels_q[l][1] : pixels_q[l][0];
  end
  assign write_banks_o = 4'b0001 << channel_q;
  logic [AddrWidth-1:0] write_addr_q;
  assign write_addr_o  = write_addr_q;
  always_ff @(posedge clk_i) begin
    if (load) {loaded_q, channel_q} <= {1'b1, 2'd0};
    if (write_valid_o && write_ready_i) channel_q <= channel_q + 2'd1;
    if (phase_written) begin
      loaded_q     <= 1'b0;
      write_addr_q <= write_addr_q + 1'b1;
      out_x_q      <= (out_x_q == last_phase) ? '0 : out_x_q + 5'd1;
    end
    if (written) begin
      half_out_q <= ~half_out_q;
      out_y_q    <= out_y_q + 5'd1;
    end
    busy_o <= rst_ni & ~abort_i & ~error_o & (start_i | (busy_o & ~(written & (out_y_q == last_phase))));
    if (start_i) begin
      {out_y_q, out_x_q, half_out_q} <= '0;
      write_addr_q <= base_i[AddrWidth-1:0];
    end
    if (start_i || !busy_o) loaded_q <= 1'b0;
  end

  logic unused;
  assign unused = &{1'b0, data_i[31:24], data_i[63:56], base_i};
endmodule
