// word_memory - 32-bit words in block RAM: one read port, one write port with byte enables
//
// Computes   rdata_o = mem[raddr_i]; mem[waddr_i] takes the bytes of wdata_i that we_i names
// Contract   a word that is read while it is written may come out old
// Timing     rdata_o two cycles after raddr_i (array read, output register)
// Reference  UG473, simple dual port RAM with output register: 2048 x 16 is one block, so nothing is chosen behind it
module word_memory #(
    parameter int unsigned Depth = 1024  // words, at most 2048
) (
    input  logic                     clk_i,
    input  logic [              3:0] we_i,
    input  logic [$clog2(Depth)-1:0] waddr_i,
    input  logic [             31:0] wdata_i,
    input  logic [$clog2(Depth)-1:0] raddr_i,
    output logic [             31:0] rdata_o
);
  if (Depth > 2048) begin : gen_bad_depth
    $error("word_memory: at most 2048 words, in more than one block RAM deep the output needs another register");
  end
  for (genvar h = 0; h < 2; h++) begin : gen_half
    (* ram_style = "block" *) logic [15:0] mem[Depth];
    logic [15:0] rdata_q;
    always_ff @(posedge clk_i) begin
      for (int b = 0; b < 2; b++) if (we_i[2*h+b]) mem[waddr_i][8*b+:8] <= wdata_i[16*h+8*b+:8];
      rdata_q <= mem[raddr_i];
      rdata_o[16*h+:16] <= rdata_q;
    end
  end
endmodule
