// act_memory - the activation memory: four banks for the engine, two windows on it for the host
//
// Computes   engine: word read and write of each bank; one write goes to every bank in act_we_i
//            raw window: byte l of (address * 4 + bank) * 64 is lane l; bytes beyond the lanes read 0 and take no write
//            image window: pixel (y, x) at y * 1024 + x * 4; with S = 2^log2s its bytes, minus 128, go to banks 0..3 at
//            address base + (y mod S) * S + (x mod S), lane (y div S) * Columns + (x div S); S is at most 2^LOG2S_MAX
// Contract   host access only while engine and image_* are idle (host_bus refuses it otherwise); the engine leaves its ports alone
//            in the first eight cycles of a run, so that the last host write can land.
//            image_valid_i writes a whole word when neither engine nor host do; image_ready_o says so in the same cycle.
//            A host write is read - modify - write, since banks take whole words. It visits bank k in its k-th cycle, and
//            accesses start at least four cycles apart: a word that is read again has then been written.
//            host_*: fields stay until the response; exactly one response pulse for each host_valid_i pulse
// Timing     engine: data three cycles after the address; a read in the cycle after a write sees it, one in the same cycle
//            may not. Host: a write is answered after two cycles (one every four), a read of bank k after 7 + k
module act_memory #(
    parameter int unsigned Rows    = 7,    // lattice
    parameter int unsigned Columns = 7,
    parameter int unsigned Depth   = 2048  // words per bank
) (
    input  logic                               clk_i,
    input  logic                               rst_ni,
    input  logic                               host_valid_i,
    input  logic                               host_write_i,
    input  logic                               host_image_i,   // image window; otherwise raw
    input  logic [               18:0]         host_addr_i,    // byte offset in the window
    input  logic [               31:0]         host_wdata_i,
    input  logic [                3:0]         host_strb_i,
    output logic                               rsp_valid_o,
    output logic [               31:0]         rsp_rdata_o,
    output logic [                7:0]         rsp_error_o,
    input  logic [               15:0]         image_base_i,
    input  logic [                2:0]         image_log2s_i,
    input  logic [3:0][$clog2(Depth)-1:0]      act_raddr_i,
    output logic [3:0][Rows*Columns*8-1:0]     act_rdata_o,
    input  logic [                3:0]         act_we_i,
    input  logic [ $clog2(Depth)-1:0]          act_waddr_i,
    input  logic [Rows*Columns*8-1:0]          act_wdata_i,
    input  logic                               image_valid_i,
    output logic                               image_ready_o,
    input  logic [                3:0]         image_banks_i,
    input  logic [ $clog2(Depth)-1:0]          image_addr_i,
    input  logic [Rows*Columns*8-1:0]          image_word_i
);
  localparam int unsigned Lanes = Rows * Columns;
  localparam int unsigned Width = Lanes * 8;
  localparam int unsigned AddrWidth = $clog2(Depth);
  if (Rows < 1 || Rows > 8 || Columns < 1 || Columns > 8) begin : gen_bad_lattice
    $error("Rows and Columns must be 1 to 8: a row of the raw window has 64 bytes");
  end
  if (Depth < 2 || Depth * riffle_pkg::Banks * 64 > riffle_pkg::ActivationsSize) begin : gen_bad_depth
    $error("Depth of act_memory must be at least 2 and fit the ACTIVATIONS window");
  end

  // Request: split a pixel into lane and phase
  logic pending_q, launch;
  logic [7:0] y, x, mask, lane_y_q, lane_x_q;
  logic [13:0] phase_q;
  logic [16:0] room_q;  // words from the image's base to the end of the memory
  logic [6:0] age_q;  // bit n: an access was launched n + 1 cycles ago
  assign {y, x} = host_addr_i[17:2];
  assign mask   = ~(8'hff << image_log2s_i);
  assign launch = pending_q & ~|age_q[2:0];
  always_ff @(posedge clk_i) begin
    pending_q <= rst_ni & (host_valid_i | (pending_q & ~launch));
    age_q     <= {7{rst_ni}} & {age_q[5:0], launch};
    lane_y_q  <= y >> image_log2s_i;
    lane_x_q  <= x >> image_log2s_i;
    phase_q   <= (14'(y & mask) << image_log2s_i) | 14'(x & mask);
    room_q    <= (32'(image_base_i) < Depth && image_log2s_i <= 3'(riffle_pkg::Log2sMax)) ? 17'(Depth) - 17'(image_base_i) : '0;
  end

  // Launch: everything that the access needs, whichever window it came through
  logic mapped, image_q, mapped_q;
  logic [AddrWidth-1:0] address;
  logic [5:0] lane;
  logic [3:0] one_bank, banks_q, read_q, bytes_q, group_q;
  logic [AddrWidth-1:0] addr_q;
  logic [31:0] data_q;
  always_comb begin
    address  = host_image_i ? AddrWidth'(image_base_i) + AddrWidth'(phase_q) : AddrWidth'(host_addr_i[18:8]);
    lane     = host_image_i ? 6'(lane_y_q) * 6'(Columns) + 6'(lane_x_q) : host_addr_i[5:0];
    mapped   = host_image_i ? 17'(phase_q) < room_q && 32'(lane_y_q) < Rows && 32'(lane_x_q) < Columns
                            : 32'(host_addr_i[18:8]) < Depth;
    one_bank = 4'b0001 << host_addr_i[7:6];
  end
  always_ff @(posedge clk_i) begin
    if (launch) begin
      mapped_q <= mapped;
      image_q  <= host_image_i;
      addr_q   <= address;
      group_q  <= lane[5:2];  // the four lanes that a raw word covers, and which of them change
      bytes_q  <= (host_image_i ? 4'b0001 << lane[1:0] : host_strb_i) & {4{host_write_i}};
      banks_q  <= (host_image_i ? host_strb_i : one_bank) & {4{host_write_i & mapped}};
      read_q   <= one_bank & {4{~host_write_i & mapped}};
      data_q   <= host_image_i ? host_wdata_i ^ 32'h80808080 : host_wdata_i;
    end
  end

  // The address stands for four cycles; bank k is read in the k-th of them and merged three cycles later
  logic image_q2;
  logic [3:0] banks_q2, read_q2, group_q2;
  logic [AddrWidth-1:0] addr_q2;
  logic [31:0] data_q2;
  logic [3:0][7:0] value;
  logic [Lanes-1:0] change_q2;
  always_ff @(posedge clk_i) begin
    if (age_q[2]) begin
      {image_q2, banks_q2, read_q2, group_q2, addr_q2, data_q2} <= {image_q, banks_q, read_q, group_q, addr_q, data_q};
      for (int l = 0; l < int'(Lanes); l++) change_q2[l] <= 4'(l / 4) == group_q && bytes_q[l%4];
    end else if (image_q2) data_q2 <= data_q2 >> 8;  // next channel of the pixel
  end
  assign value = image_q2 ? {4{data_q2[7:0]}} : data_q2;

  // Write register: the engine's word, or the host's merged one; also what a host read is taken from
  logic [3:0] we_q;
  logic [AddrWidth-1:0] waddr_q;
  logic [Width-1:0] wdata_q;
  logic [3:0][AddrWidth-1:0] raddr_q;
  logic host_turn_q;  // the write register is the host's: |age_q[6:3], a cycle ahead
  logic engine_writes;
  assign engine_writes = |act_we_i;
  assign image_ready_o = ~host_turn_q & ~engine_writes;
  always_ff @(posedge clk_i) begin
    host_turn_q <= rst_ni & |age_q[5:2];
    raddr_q <= |age_q[3:0] ? {4{addr_q}} : act_raddr_i;
    waddr_q <= host_turn_q ? addr_q2 : engine_writes ? act_waddr_i : image_addr_i;
    we_q    <= {4{rst_ni}} & (host_turn_q ? age_q[6:3] & banks_q2 : engine_writes ? act_we_i : image_banks_i & {4{image_valid_i}});
  end
  for (genvar r = 0; r < Rows; r++) begin : gen_row
    (* keep, dont_touch = "true" *) logic merging_q;  // copies per lattice row, close to what they drive
    (* keep, dont_touch = "true" *) logic [1:0] bank_q;
    always_ff @(posedge clk_i) begin
      merging_q <= |age_q[5:2];
      bank_q    <= {age_q[5] | age_q[4], age_q[5] | age_q[3]};
    end
    for (genvar l = r * Columns; l < (r + 1) * Columns; l++) begin : gen_lane
      always_ff @(posedge clk_i) begin
        if (!merging_q) wdata_q[8*l+:8] <= engine_writes ? act_wdata_i[8*l+:8] : image_word_i[8*l+:8];
        else if (change_q2[l]) wdata_q[8*l+:8] <= value[l%4];
        else begin
          unique case (bank_q)
            2'd0: wdata_q[8*l+:8] <= act_rdata_o[0][8*l+:8];
            2'd1: wdata_q[8*l+:8] <= act_rdata_o[1][8*l+:8];
            2'd2: wdata_q[8*l+:8] <= act_rdata_o[2][8*l+:8];
            default: wdata_q[8*l+:8] <= act_rdata_o[3][8*l+:8];
          endcase
        end
      end
    end
  end

  for (genvar k = 0; k < 4; k++) begin : gen_bank
    act_bank #(.Width(Width), .Depth(Depth)) u_bank (
        .clk_i, .we_i(we_q[k]), .waddr_i(waddr_q), .wdata_i(wdata_q), .raddr_i(raddr_q[k]), .rdata_o(act_rdata_o[k])
    );
  end

  // Response: at once for a write and for an error, with the data for a read
  logic read_merged_q, read_done_q;
  logic [511:0] row;
  assign row = 512'(wdata_q);
  always_ff @(posedge clk_i) begin
    read_merged_q <= rst_ni & |(age_q[6:3] & read_q2);
    read_done_q   <= rst_ni & read_merged_q;
    rsp_rdata_o   <= row[{group_q2, 5'b0}+:32];
  end
  assign rsp_valid_o = read_done_q | (age_q[0] & ~|read_q);
  assign rsp_error_o = (age_q[0] & ~mapped_q) ? riffle_pkg::ErrBusUnmapped : riffle_pkg::ErrNone;

`ifndef SYNTHESIS
  always_ff @(posedge clk_i) begin
    if (rst_ni && host_turn_q) assert (act_we_i == '0) else $error("the engine writes while a host access is under way");
  end
`endif

  logic unused;  // the bus is word aligned; a lattice of fewer than four lanes has no use for every byte
  assign unused = &{1'b0, host_addr_i[1:0], value};
endmodule
