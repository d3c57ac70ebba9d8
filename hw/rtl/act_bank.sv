// act_bank - one channel bank of the activation memory: one read port, one write port
//
// Computes   rdata_o = mem[raddr_i]; one word is one phase of one channel, all lanes
// Contract   whole words are written (no lane enables: 8-bit enables would cost 98 instead of 88 RAMB36 for 4 banks);
//            a word that is read while it is written may come out old
// Timing     rdata_o two cycles after raddr_i (array read, output register)
module act_bank #(
    parameter int unsigned Width = 392,  // bits, lanes * 8
    parameter int unsigned Depth = 2048  // words
) (
    input  logic                     clk_i,
    input  logic                     we_i,
    input  logic [$clog2(Depth)-1:0] waddr_i,
    input  logic [        Width-1:0] wdata_i,
    input  logic [$clog2(Depth)-1:0] raddr_i,
    output logic [        Width-1:0] rdata_o
);
  (* ram_style = "block" *) logic [Width-1:0] mem[Depth];
  logic [Width-1:0] rdata_q;
  always_ff @(posedge clk_i) begin
    if (we_i) mem[waddr_i] <= wdata_i;
    rdata_q <= mem[raddr_i];
    rdata_o <= rdata_q;
  end
endmodule
