// lattice_shift - shift a word by one lattice step in y and x, with a fill value at the border
//
// Computes   word_o[y][x] = word_i[y+dy][x+dx], or fill_i where that lies outside the lattice
// Contract   dy_i comes one cycle before word_i, dx_i with it; 2'b00 = 0, 2'b01 = +1, 2'b10 = -1
// Timing     two cycles, one word per cycle; one LUT6 per bit and stage
// Reference  lattice step in riffle.isa.emulator
module lattice_shift #(
    parameter int unsigned Rows    = 7,  // lattice rows
    parameter int unsigned Columns = 7   // lattice columns
) (
    input  logic                           clk_i,
    input  logic [                    1:0] dy_i,
    input  logic [                    1:0] dx_i,
    input  logic [                    7:0] fill_i,
    input  logic [Rows*Columns-1:0][  7:0] word_i,
    output logic [Rows*Columns-1:0][  7:0] word_o
);
  logic [Rows*Columns-1:0][7:0] vertical_q;
  (* keep, dont_touch = "true" *) logic [Rows-1:0][1:0] dy_q, dx_q;  // one copy per lattice row: short select nets

  always_ff @(posedge clk_i) begin
    dy_q <= {Rows{dy_i}};
    dx_q <= {Rows{dx_i}};
  end

  for (genvar y = 0; y < Rows; y++) begin : gen_row
    for (genvar x = 0; x < Columns; x++) begin : gen_lane
      localparam int unsigned Lane = y * Columns + x;
      logic [7:0] below, above, right, left;

      if (y + 1 < Rows) begin : gen_below
        assign below = word_i[Lane+Columns];
      end else begin : gen_bottom
        assign below = fill_i;
      end
      if (y > 0) begin : gen_above
        assign above = word_i[Lane-Columns];
      end else begin : gen_top
        assign above = fill_i;
      end
      if (x + 1 < Columns) begin : gen_right
        assign right = vertical_q[Lane+1];
      end else begin : gen_east
        assign right = fill_i;
      end
      if (x > 0) begin : gen_left
        assign left = vertical_q[Lane-1];
      end else begin : gen_west
        assign left = fill_i;
      end

      always_ff @(posedge clk_i) begin
        vertical_q[Lane] <= dy_q[y][0] ? below : dy_q[y][1] ? above : word_i[Lane];
        word_o[Lane]     <= dx_q[y][0] ? right : dx_q[y][1] ? left : vertical_q[Lane];
      end
    end
  end
endmodule
