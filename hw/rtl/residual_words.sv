// residual_words - what a pair's outputs held before: from the memory, or kept from the read of the block's first pair
//
// Computes   old_o[o]: the word of the bank that banks<o>_i names; with kept_i, of bank 2 (o = 0) and bank 3 (o = 1) as they
//            were with the oldest keep_i whose words have not been used
// Contract   valid_i with the word of bank 0; word_i[k] comes k cycles later. At most KeptPhases keep_i without a kept_i
// Timing     old_o[o] one cycle after its bank's word, until the next one
// Reference  docs/decisions/0006-residual-reads-in-a-hole.md
module residual_words #(
    parameter int unsigned Width = 392  // bits of a word
) (
    input  logic                  clk_i,
    input  logic                  rst_ni,
    input  logic                  valid_i,
    input  logic                  keep_i,
    input  logic                  kept_i,
    input  logic [3:0]            banks0_i,
    input  logic [3:0]            banks1_i,
    input  logic [3:0][Width-1:0] word_i,
    output logic [1:0][Width-1:0] old_o
);
  localparam int unsigned Depth = riffle_pkg::KeptPhases;

  // stage k comes with the word of bank k
  logic [2:0] valid_q, keep_q, kept_q;
  logic [2:0][3:0] banks0_q, banks1_q;
  logic [3:0] read, keep, kept;
  logic [3:0][3:0] banks0, banks1;
  assign keep   = {keep_q, keep_i & valid_i};
  assign kept   = {kept_q, kept_i & valid_i};
  assign read   = {valid_q, valid_i} & ~kept;
  assign banks0 = {banks0_q, banks0_i};
  assign banks1 = {banks1_q, banks1_i};
  always_ff @(posedge clk_i) begin
    {valid_q, keep_q, kept_q} <= {valid_q[1:0], valid_i, keep[2:0], kept[2:0]};
    {banks0_q, banks1_q}      <= {banks0[2:0], banks1[2:0]};
    if (!rst_ni) {valid_q, keep_q, kept_q} <= '0;
  end

  for (genvar o = 0; o < 2; o++) begin : gen_channel
    (* ram_style = "distributed" *) logic [Width-1:0] words[Depth];
    logic [$clog2(Depth)-1:0] write_q, read_q;
    always_ff @(posedge clk_i) begin
      for (int k = 0; k < 4; k++) if (read[k] & (o == 0 ? banks0[k][k] : banks1[k][k])) old_o[o] <= word_i[k];
      if (kept[2+o]) old_o[o] <= words[read_q];
      if (keep[2+o]) words[write_q] <= word_i[2+o];
      write_q <= write_q + $bits(write_q)'(keep[2+o]);
      read_q  <= read_q + $bits(read_q)'(kept[2+o]);
      if (!rst_ni) {write_q, read_q} <= '0;
    end
  end
endmodule
