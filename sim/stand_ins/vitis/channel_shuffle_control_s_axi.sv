// channel_shuffle_control_s_axi - AXI4-Lite registers of the stand-in, laid out and described as Vitis HLS does
//
// 0x00 : Control signals
//        bit 0 - ap_start, bit 1 - ap_done (cleared by reading), bit 2 - ap_idle, bit 3 - ap_ready
// 0x04 : Global Interrupt Enable Register
// 0x08 : IP Interrupt Enable Register
// 0x0c : IP Interrupt Status Register (writing 1 toggles)
// 0x10 : Data signal of ap_return
// 0x18 : Data signal of maps
// 0x20 : Data signal of result
// 0x28 : Data signal of channels
// 0x30 : Data signal of words
// 0x38 : Data signal of modulus
// 0x40 : Data signal of step_low
// 0x48 : Data signal of step_high
module channel_shuffle_control_s_axi (
    input  logic             clk_i,
    input  logic             rst_ni,
    input  logic             awvalid_i,
    output logic             awready_o,
    input  logic [ 6:0]      awaddr_i,
    input  logic             wvalid_i,
    output logic             wready_o,
    input  logic [31:0]      wdata_i,
    input  logic             arvalid_i,
    output logic             arready_o,
    input  logic [ 6:0]      araddr_i,
    output logic             rvalid_o,
    input  logic             rready_i,
    output logic [31:0]      rdata_o,
    output logic             bvalid_o,
    input  logic             bready_i,
    output logic             interrupt_o,
    output logic             start_o,
    input  logic             done_i,
    input  logic [31:0]      code_i,
    output logic [6:0][31:0] argument_o
);
  logic write, read, done_q, global_q, enable_q, status_q, idle_q;
  logic [31:0] code_q;
  assign write       = awvalid_i & wvalid_i & ~bvalid_o;
  assign read        = arvalid_i & ~rvalid_o;
  assign awready_o   = write;
  assign wready_o    = write;
  assign arready_o   = read;
  assign interrupt_o = global_q & status_q;
  always_ff @(posedge clk_i) begin
    start_o <= 1'b0;
    if (bready_i) bvalid_o <= 1'b0;
    if (rready_i) rvalid_o <= 1'b0;
    if (start_o) idle_q <= 1'b0;
    if (write) begin
      bvalid_o <= 1'b1;
      unique case (awaddr_i)
        7'h00: start_o <= wdata_i[0];
        7'h04: global_q <= wdata_i[0];
        7'h08: enable_q <= wdata_i[0];
        7'h0c: status_q <= status_q ^ wdata_i[0];
        default: if (awaddr_i >= 7'h18) argument_o[3'((awaddr_i - 7'h18) >> 3)] <= wdata_i;
      endcase
    end
    if (read) begin
      rvalid_o <= 1'b1;
      unique case (araddr_i)
        7'h00: rdata_o <= {28'd0, idle_q, idle_q, done_q, ~idle_q};
        7'h04: rdata_o <= 32'(global_q);
        7'h08: rdata_o <= 32'(enable_q);
        7'h0c: rdata_o <= 32'(status_q);
        7'h10: rdata_o <= code_q;
        default: rdata_o <= argument_o[3'((araddr_i - 7'h18) >> 3)];
      endcase
      if (araddr_i == '0) done_q <= 1'b0;
    end
    if (done_i) begin
      {done_q, idle_q} <= '1;
      code_q           <= code_i;
      if (enable_q) status_q <= 1'b1;
    end
    if (!rst_ni) {bvalid_o, rvalid_o, start_o, done_q, global_q, enable_q, status_q, idle_q} <= 8'd1;
  end
endmodule
