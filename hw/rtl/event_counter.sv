// event_counter - counts events, with a short carry chain
//
// Computes   count_o = events since restart_i, that of its own cycle counted
// Contract   wraps round
// Timing     count_o one cycle behind the event. The upper half takes its carry from a register that knows beforehand
//            whether the lower half is full: half the carry chain
module event_counter #(
    parameter int unsigned Width = 32  // bits, even
) (
    input  logic             clk_i,
    input  logic             restart_i,
    input  logic             event_i,
    output logic [Width-1:0] count_o
);
  localparam int unsigned Half = Width / 2;
  if (Width < 4 || Width % 2 != 0) begin : gen_bad_width
    $error("event_counter: Width must be even and at least 4");
  end

  logic [Half-1:0] low_q, high_q;
  logic full_q;  // all bits of low_q are 1
  assign count_o = {high_q, low_q};
  always_ff @(posedge clk_i) begin
    low_q  <= (restart_i ? '0 : low_q) + Half'(event_i);
    high_q <= high_q + Half'(full_q & event_i);
    full_q <= &low_q[Half-1:1] & (low_q[0] ^ event_i);
    if (restart_i) {high_q, full_q} <= '0;
  end
endmodule
