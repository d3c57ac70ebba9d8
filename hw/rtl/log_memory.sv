// log_memory - the cycle log: written by the engine, read by the host at any time
//
// Computes   4 words for each of 256 descriptors; word w of descriptor d at d*4 + w
// Contract   host_*: the address stays until the response; exactly one response pulse for each host_valid_i pulse
// Timing     a read is answered after two cycles
module log_memory (
    input  logic        clk_i,
    input  logic        rst_ni,
    input  logic        host_valid_i,
    input  logic [11:0] host_addr_i,   // byte offset in the window
    output logic        rsp_valid_o,
    output logic [31:0] rsp_rdata_o,
    input  logic        we_i,
    input  logic [ 9:0] addr_i,        // word
    input  logic [31:0] wdata_i
);
  localparam int unsigned Words = riffle_pkg::Descriptors * riffle_pkg::LogWords;
  if (Words * 4 != riffle_pkg::LogSize || Words != 2 ** 10) begin : gen_bad_size
    $error("The ports of log_memory do not fit the LOG window");
  end

  word_memory #(.Depth(Words)) u_memory (
      .clk_i,
      .we_i   ({4{we_i}}),
      .waddr_i(addr_i),
      .wdata_i,
      .raddr_i(host_addr_i[11:2]),
      .rdata_o(rsp_rdata_o)
  );

  logic reading_q;
  always_ff @(posedge clk_i) begin
    reading_q   <= rst_ni & host_valid_i;
    rsp_valid_o <= rst_ni & reading_q;
  end

  logic unused;
  assign unused = &{1'b0, host_addr_i[1:0]};  // always 0: the host bus is word aligned
endmodule
