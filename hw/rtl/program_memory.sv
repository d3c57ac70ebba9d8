// program_memory - the descriptors: written and read by the host, read by the engine
//
// Computes   256 descriptors of 8 words; word w of descriptor d at d*8 + w
// Contract   one read port, which the engine has while busy_i is high: no host access then (host_bus refuses it).
//            host_*: fields stay until the response; exactly one response pulse for each host_valid_i pulse
// Timing     engine: data two cycles after the address; host: a write is answered after one cycle, a read after two
module program_memory (
    input  logic        clk_i,
    input  logic        rst_ni,
    input  logic        host_valid_i,
    input  logic        host_write_i,
    input  logic [12:0] host_addr_i,   // byte offset in the window
    input  logic [31:0] host_wdata_i,
    input  logic [ 3:0] host_strb_i,
    output logic        rsp_valid_o,
    output logic [31:0] rsp_rdata_o,
    input  logic        busy_i,
    input  logic [10:0] addr_i,        // word
    output logic [31:0] rdata_o
);
  localparam int unsigned Words = riffle_pkg::Descriptors * riffle_pkg::DescriptorWords;
  if (Words * 4 != riffle_pkg::ProgramSize || Words != 2 ** 11) begin : gen_bad_size
    $error("The ports of program_memory do not fit the PROGRAM window");
  end

  word_memory #(.Depth(Words)) u_memory (
      .clk_i,
      .we_i   (host_strb_i & {4{host_valid_i & host_write_i}}),
      .waddr_i(host_addr_i[12:2]),
      .wdata_i(host_wdata_i),
      .raddr_i(busy_i ? addr_i : host_addr_i[12:2]),
      .rdata_o
  );

  logic reading_q;
  always_ff @(posedge clk_i) begin
    reading_q   <= rst_ni & host_valid_i & ~host_write_i;
    rsp_valid_o <= rst_ni & (reading_q | (host_valid_i & host_write_i));
  end
  assign rsp_rdata_o = rdata_o;

  logic unused;
  assign unused = &{1'b0, host_addr_i[1:0]};  // always 0: the host bus is word aligned
endmodule
