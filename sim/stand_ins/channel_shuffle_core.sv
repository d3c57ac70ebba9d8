// channel_shuffle_core - what hls/kernels/channel_shuffle.cpp does, by hand; the inside of the stand-ins
//
// Computes   target word result + place(c) * words + w = source word maps + c * words + w
// Contract   arguments stay from start_i until done_o; code_o with done_o: 1 where they contradict each other
// Timing     a word every three cycles; source data in the cycle after source_en_o
module channel_shuffle_core (
    input  logic        clk_i,
    input  logic        rst_ni,
    input  logic        start_i,
    output logic        done_o,
    output logic [31:0] code_o,
    input  logic [31:0] maps_i,
    input  logic [31:0] result_i,
    input  logic [31:0] channels_i,
    input  logic [31:0] words_i,
    input  logic [31:0] modulus_i,
    input  logic [31:0] low_i,
    input  logic [31:0] high_i,
    output logic        source_en_o,
    output logic [15:0] source_addr_o,
    input  logic [31:0] source_data_i,
    output logic        target_en_o,
    output logic [15:0] target_addr_o,
    output logic [31:0] target_data_o
);
  localparam logic [63:0] Words = 64'd65536;

  typedef enum logic [2:0] {Idle, Check, Read, Wait, Write} state_e;
  state_e state_q;
  logic [31:0] channel_q, word_q, position_q, row_q, remainder_q, from_q, next_row;
  logic bad;
  assign bad = channels_i == 0 || words_i == 0 || modulus_i == 0 || channels_i > 65536 || words_i > 65536
             || 64'(maps_i) + 64'(channels_i) * 64'(words_i) > Words || 64'(result_i) + 64'(channels_i) * 64'(words_i) > Words
             || !((low_i == 1 && high_i == modulus_i) || (high_i == 1 && 64'(low_i) * 64'(modulus_i) == 64'(channels_i)));
  assign next_row      = row_q + high_i;
  assign source_en_o   = state_q == Read;
  assign source_addr_o = 16'(from_q);
  assign target_en_o   = state_q == Write;
  assign target_addr_o = 16'(result_i + position_q * words_i + word_q);
  assign target_data_o = source_data_i;

  always_ff @(posedge clk_i) begin
    done_o <= 1'b0;
    unique case (state_q)
      Idle:
      if (start_i) begin
        state_q <= Check;
        from_q  <= maps_i;
        {channel_q, word_q, position_q, row_q, remainder_q} <= '0;
      end
      Check: begin
        state_q <= bad ? Idle : Read;
        done_o  <= bad;
        code_o  <= 32'(bad);
      end
      Read: state_q <= Wait;
      Wait: state_q <= Write;
      default: begin  // Write
        state_q <= Read;
        from_q  <= from_q + 1;
        word_q  <= word_q + 1;
        if (word_q == words_i - 1) begin
          word_q      <= '0;
          channel_q   <= channel_q + 1;
          remainder_q <= remainder_q + 1;
          position_q  <= position_q + low_i;
          if (remainder_q == modulus_i - 1) begin
            remainder_q <= '0;
            row_q       <= next_row;
            position_q  <= next_row;
          end
          if (channel_q == channels_i - 1) begin
            state_q <= Idle;
            done_o  <= 1'b1;
          end
        end
      end
    endcase
    if (!rst_ni) begin
      state_q <= Idle;
      done_o  <= 1'b0;
    end
  end
endmodule
