// weight_loader - takes the weight stream apart: pair headers to a table, weight words to a ring
//
// Computes   for each pair of the stream: its header at params[id], its weights at consecutive ring addresses from an even
//            one on; pairs are numbered 0, 1, ... modulo 16 from enable_i's rise
// Contract   runs while enable_i is high, forgets everything when it is low. ready_o: the next pair is here whole, count_o
//            its weights, id_o its number; begun_o: its header is here, and count_o with it; take_i (only with ready_o, at most every fifth cycle) moves on; ready_o means
//            the pair after it from the third cycle on. base_i is half the ring address of the oldest pair in use; its storage
//            is taken again when base_i passes. Headers stay valid for at least seven more takes. After error_o nothing more is
//            accepted.
// Timing     one stream word (header, or two weights) per cycle; weight_o three cycles after weight_addr_i, params_o one cycle
//            after params_id_i
// Reference  riffle.isa.emulator, next_pair
module weight_loader (
    input  logic                       clk_i,
    input  logic                       rst_ni,
    input  logic                       enable_i,
    input  logic                       stream_valid_i,
    output logic                       stream_ready_o,
    input  logic [127:0]               stream_data_i,
    input  logic                       take_i,
    input  logic [  8:0]               base_i,
    output logic                       ready_o,
    output logic                       begun_o,
    output logic [  9:0]               count_o,
    output logic [  3:0]               id_o,
    output logic                       empty_o,        // between pairs, and none is waiting
    output logic                       error_o,        // a header was expected and something else came
    output logic [  9:0]               error_count_o,  // its count field
    input  logic [  9:0]               weight_addr_i,  // ring address, 64-bit words
    output logic [ 63:0]               weight_o,
    input  logic [  3:0]               params_id_i,
    output logic [  1:0][24:0]         bias_o,
    output logic [  1:0][16:0]         mult_o,
    output logic [  1:0][ 3:0]         shift_o
);
  localparam int unsigned AheadMax = 8;  // pairs waiting; with those in the pipeline at most 15

  // verilator lint_off UNUSEDSIGNAL
  riffle_pkg::stream_header_t header;  // has spare bits
  // verilator lint_on UNUSEDSIGNAL
  logic [8:0] left_q, write_q, write1_q, write2_q;  // stream words; ring addresses: next, and one and two behind it
  logic [3:0] header_id_q, ahead_q;
  logic taken_q;  // take_i comes late in its cycle and is reckoned with in the next
  logic in_header_q, room_q, full_q, accept, header_taken, bad, complete, complete_q;
  assign header         = stream_data_i;
  assign stream_ready_o = enable_i & ~error_o & (in_header_q ? room_q : ~full_q);
  assign accept         = stream_valid_i & stream_ready_o;
  assign bad            = header.tag != riffle_pkg::StreamTag || header.count > 10'(riffle_pkg::PairWeightsMax);
  assign header_taken   = accept & in_header_q & ~bad;
  assign complete       = accept & (in_header_q ? ~bad & (header.count == '0) : left_q == 9'd1);

  always_ff @(posedge clk_i) begin
    if (header_taken) begin
      left_q      <= header.count[9:1] + 9'(header.count[0]);
      in_header_q <= header.count == '0;
      header_id_q <= header_id_q + 4'd1;
    end
    if (accept & in_header_q & bad) begin
      error_o       <= 1'b1;
      error_count_o <= header.count;
    end
    if (accept & ~in_header_q) begin
      left_q      <= left_q - 9'd1;
      in_header_q <= left_q == 9'd1;
      write_q     <= write1_q;
      write1_q    <= write2_q;
      write2_q    <= write2_q + 9'd1;
    end
    // early by one, since a word or header may come in this cycle
    room_q <= ahead_q < 4'(AheadMax - 1);
    full_q <= write1_q == base_i || write2_q == base_i;
    // ahead_q counts a pair from its header on; ready pairs follow when count_o has caught up
    ahead_q     <= taken_q ? (header_taken ? ahead_q : ahead_q - 4'd1) : (header_taken ? ahead_q + 4'd1 : ahead_q);
    complete_q  <= complete;
    if (!enable_i || !rst_ni) begin
      {left_q, write_q, header_id_q, ahead_q, error_o, complete_q, full_q} <= '0;
      {in_header_q, room_q} <= '1;
      {write2_q, write1_q}  <= {9'd2, 9'd1};
    end
  end

  // pairs that are here whole
  logic [3:0] whole_q, next_id_q;
  always_ff @(posedge clk_i) begin
    taken_q <= take_i;
    whole_q <= taken_q ? (complete_q ? whole_q : whole_q - 4'd1) : (complete_q ? whole_q + 4'd1 : whole_q);
    ready_o <= whole_q != '0;
    begun_o <= ahead_q != '0;
    if (take_i) next_id_q <= next_id_q + 4'd1;
    if (!enable_i || !rst_ni) {whole_q, next_id_q, ready_o, begun_o, taken_q} <= '0;
  end
  assign id_o    = next_id_q;
  assign empty_o = in_header_q & (ahead_q == '0) & ~error_o;

  // headers: two small tables in LUTs, read at different times
  logic [9:0] counts[16];
  logic [91:0] params[16];
  always_ff @(posedge clk_i) begin
    if (header_taken) begin
      counts[header_id_q] <= header.count;
      params[header_id_q] <= {header.shift1, header.shift0, header.multiplier1, header.multiplier0, header.bias1, header.bias0};
    end
    count_o <= counts[next_id_q];
    {shift_o, mult_o, bias_o} <= params[params_id_i];
  end

  // ring: even and odd weight words side by side
  (* ram_style = "block" *) logic [63:0] even[512];
  (* ram_style = "block" *) logic [63:0] odd[512];
  logic [63:0] even_q, even_q1, odd_q, odd_q1;
  logic odd_select_q, odd_select_q1;
  always_ff @(posedge clk_i) begin
    if (accept & ~in_header_q) begin
      even[write_q] <= stream_data_i[63:0];
      odd[write_q]  <= stream_data_i[127:64];
    end
    {even_q1, even_q} <= {even_q, even[weight_addr_i[9:1]]};
    {odd_q1, odd_q}   <= {odd_q, odd[weight_addr_i[9:1]]};
    {odd_select_q1, odd_select_q} <= {odd_select_q, weight_addr_i[0]};
    weight_o          <= odd_select_q1 ? odd_q1 : even_q1;
  end
endmodule
