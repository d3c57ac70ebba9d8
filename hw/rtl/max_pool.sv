// max_pool - maximum over the taps of a window, four channels at a time
//
// Computes   max[k][lane] = maximum of the words of bank k from first_i to last_i
// Contract   word_i[k] is k cycles behind word_i[0]; valid_i, first_i, last_i go with bank 0; windows are at least four
//            slots long
// Timing     the maximum of bank 0 is on word_o two cycles after last_i's word, those of banks 1..3 on the cycles after;
//            write_o is the one-hot bank with it
// Reference  riffle.graph.reference.max_pool
module max_pool #(
    parameter int unsigned Lanes = 49
) (
    input  logic                            clk_i,
    input  logic                            rst_ni,
    input  logic                            valid_i,
    input  logic                            first_i,
    input  logic                            last_i,
    input  logic [3:0][Lanes-1:0][     7:0] word_i,
    output logic [     3:0]                 write_o,
    output logic [Lanes-1:0][     7:0]      word_o
);
  // strobes of bank k, k cycles after those of bank 0
  logic [3:0] valid, first, last;
  logic [2:0] valid_q, first_q, last_q;
  assign valid = {valid_q, valid_i};
  assign first = {first_q, first_i};
  assign last  = {last_q, last_i};
  always_ff @(posedge clk_i) begin
    valid_q <= valid[2:0];
    first_q <= first[2:0];
    last_q  <= rst_ni ? last[2:0] : '0;
  end

  logic [3:0][Lanes-1:0][7:0] max_q;
  logic [3:0] complete_q;
  always_ff @(posedge clk_i) complete_q <= rst_ni ? last : '0;
  for (genvar k = 0; k < 4; k++) begin : gen_bank
    for (genvar l = 0; l < Lanes; l++) begin : gen_lane
      always_ff @(posedge clk_i) begin
        if (valid[k] && (first[k] || $signed(word_i[k][l]) > $signed(max_q[k][l]))) max_q[k][l] <= word_i[k][l];
      end
    end
  end

  always_ff @(posedge clk_i) begin
    write_o <= rst_ni ? complete_q : '0;
    unique case (1'b1)
      complete_q[0]: word_o <= max_q[0];
      complete_q[1]: word_o <= max_q[1];
      complete_q[2]: word_o <= max_q[2];
      default:       word_o <= max_q[3];
    endcase
  end
endmodule
