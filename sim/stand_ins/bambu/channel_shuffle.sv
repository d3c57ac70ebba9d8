// channel_shuffle - stand-in with the ports that Bambu makes of hls/kernels/channel_shuffle.cpp
//
// Ports      two sets of each memory port, as Bambu has them; the second of `source` reads the odd words, that of `target`
//            writes them
module channel_shuffle (
    input  logic        clock,
    input  logic        reset,  // active low
    input  logic        start_port,
    input  logic [31:0] maps,
    input  logic [31:0] result,
    input  logic [31:0] channels,
    input  logic [31:0] words,
    input  logic [31:0] modulus,
    input  logic [31:0] step_low,
    input  logic [31:0] step_high,
    input  logic [31:0] source_q0,
    input  logic [31:0] source_q1,
    output logic        done_port,
    output logic [31:0] return_port,
    output logic [15:0] source_address0,
    output logic [15:0] source_address1,
    output logic        source_ce0,
    output logic        source_ce1,
    output logic [15:0] target_address0,
    output logic [15:0] target_address1,
    output logic        target_ce0,
    output logic        target_ce1,
    output logic        target_we0,
    output logic        target_we1,
    output logic [31:0] target_d0,
    output logic [31:0] target_d1
);
  logic source_en, target_en, odd_q;
  logic [15:0] source_addr, target_addr;
  logic [31:0] target_data;
  channel_shuffle_core u_core (
      .clk_i(clock), .rst_ni(reset), .start_i(start_port), .done_o(done_port), .code_o(return_port),
      .maps_i(maps), .result_i(result), .channels_i(channels), .words_i(words), .modulus_i(modulus), .low_i(step_low),
      .high_i(step_high), .source_en_o(source_en), .source_addr_o(source_addr),
      .source_data_i(odd_q ? source_q1 : source_q0), .target_en_o(target_en), .target_addr_o(target_addr),
      .target_data_o(target_data));
  always_ff @(posedge clock) if (source_en) odd_q <= source_addr[0];
  assign {source_address0, source_address1} = {2{source_addr}};
  assign {target_address0, target_address1} = {2{target_addr}};
  assign {target_d0, target_d1}             = {2{target_data}};
  assign {source_ce0, source_ce1}           = {source_en & ~source_addr[0], source_en & source_addr[0]};
  assign {target_we0, target_we1}           = {target_en & ~target_addr[0], target_en & target_addr[0]};
  assign {target_ce0, target_ce1}           = {target_we0, target_we1};
endmodule
