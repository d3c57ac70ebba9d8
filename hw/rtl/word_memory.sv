// word_memory - 32-bit words in block RAM: one read port, one write port with byte enables
//
// Computes   rdata_o = mem[raddr_i]; mem[waddr_i] takes the bytes of wdata_i that we_i names
// Contract   a word that is read while it is written may come out old
// Timing     rdata_o two cycles after raddr_i (array read, output register)
module word_memory #(
    parameter int unsigned Depth = 1024  // words
) (
    input  logic                     clk_i,
    input  logic [              3:0] we_i,
    input  logic [$clog2(Depth)-1:0] waddr_i,
    input  logic [             31:0] wdata_i,
    input  logic [$clog2(Depth)-1:0] raddr_i,
    output logic [             31:0] rdata_o
);
  (* ram_style = "block" *) logic [31:0] mem[Depth];
  logic [31:0] rdata_q;
  always_ff @(posedge clk_i) begin
    for (int b = 0; b < 4; b++) if (we_i[b]) mem[waddr_i][8*b+:8] <= wdata_i[8*b+:8];
    rdata_q <= mem[raddr_i];
    rdata_o <= rdata_q;
  end
endmodule
