// channel_shuffle - stand-in with the ports that Vitis HLS makes of hls/kernels/channel_shuffle.cpp
module channel_shuffle (
    input  logic        ap_clk,
    input  logic        ap_rst_n,
    output logic [31:0] source_Addr_A,
    output logic        source_EN_A,
    output logic [ 3:0] source_WEN_A,
    output logic [31:0] source_Din_A,
    input  logic [31:0] source_Dout_A,
    output logic        source_Clk_A,
    output logic        source_Rst_A,
    output logic [31:0] target_Addr_A,
    output logic        target_EN_A,
    output logic [ 3:0] target_WEN_A,
    output logic [31:0] target_Din_A,
    input  logic [31:0] target_Dout_A,
    output logic        target_Clk_A,
    output logic        target_Rst_A,
    input  logic        s_axi_control_AWVALID,
    output logic        s_axi_control_AWREADY,
    input  logic [ 6:0] s_axi_control_AWADDR,
    input  logic        s_axi_control_WVALID,
    output logic        s_axi_control_WREADY,
    input  logic [31:0] s_axi_control_WDATA,
    input  logic [ 3:0] s_axi_control_WSTRB,
    input  logic        s_axi_control_ARVALID,
    output logic        s_axi_control_ARREADY,
    input  logic [ 6:0] s_axi_control_ARADDR,
    output logic        s_axi_control_RVALID,
    input  logic        s_axi_control_RREADY,
    output logic [31:0] s_axi_control_RDATA,
    output logic [ 1:0] s_axi_control_RRESP,
    output logic        s_axi_control_BVALID,
    input  logic        s_axi_control_BREADY,
    output logic [ 1:0] s_axi_control_BRESP,
    output logic        interrupt
);
  logic start, done, target_en;
  logic [15:0] source_addr, target_addr;
  logic [31:0] code;
  logic [6:0][31:0] argument;
  channel_shuffle_control_s_axi u_control (
      .clk_i(ap_clk), .rst_ni(ap_rst_n), .awvalid_i(s_axi_control_AWVALID), .awready_o(s_axi_control_AWREADY),
      .awaddr_i(s_axi_control_AWADDR), .wvalid_i(s_axi_control_WVALID), .wready_o(s_axi_control_WREADY),
      .wdata_i(s_axi_control_WDATA), .arvalid_i(s_axi_control_ARVALID), .arready_o(s_axi_control_ARREADY),
      .araddr_i(s_axi_control_ARADDR), .rvalid_o(s_axi_control_RVALID), .rready_i(s_axi_control_RREADY),
      .rdata_o(s_axi_control_RDATA), .bvalid_o(s_axi_control_BVALID), .bready_i(s_axi_control_BREADY),
      .interrupt_o(interrupt), .start_o(start), .done_i(done), .code_i(code), .argument_o(argument));
  channel_shuffle_core u_core (
      .clk_i(ap_clk), .rst_ni(ap_rst_n), .start_i(start), .done_o(done), .code_o(code), .maps_i(argument[0]),
      .result_i(argument[1]), .channels_i(argument[2]), .words_i(argument[3]), .modulus_i(argument[4]),
      .low_i(argument[5]), .high_i(argument[6]), .source_en_o(source_EN_A), .source_addr_o(source_addr),
      .source_data_i(source_Dout_A), .target_en_o(target_en), .target_addr_o(target_addr), .target_data_o(target_Din_A));
  assign source_Addr_A = {14'd0, source_addr, 2'd0};
  assign target_Addr_A = {14'd0, target_addr, 2'd0};
  assign target_EN_A   = target_en;
  assign target_WEN_A  = {4{target_en}};
  assign source_WEN_A  = '0;
  assign source_Din_A  = '0;
  assign {source_Clk_A, target_Clk_A} = {2{ap_clk}};
  assign {source_Rst_A, target_Rst_A} = {2{~ap_rst_n}};
  assign s_axi_control_RRESP = '0;
  assign s_axi_control_BRESP = '0;
endmodule
