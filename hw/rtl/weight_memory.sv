// weight_memory - the resident weights: a memory for the host, a stream for the engine
//
// Computes   stream_data_o: words base_i, base_i + 1, ... of the memory, length_i of them
// Contract   start_i begins a stream; it is dropped when busy_i (high from the cycle after start_i) falls.
//            stream_end_o is high two cycles after the last word was taken; where base_i + length_i lies beyond the memory the stream
//            ends with the memory. No host access while busy_i is high (host_bus refuses it).
//            host_*: fields stay until the response; exactly one response pulse for each host_valid_i pulse
// Timing     first word five cycles after start_i, then one per cycle; host write answered after one cycle, read after three
module weight_memory #(
    parameter int unsigned Depth = 10240  // stream words of 128 bits
) (
    input  logic         clk_i,
    input  logic         rst_ni,
    input  logic         host_valid_i,
    input  logic         host_write_i,
    input  logic [ 17:0] host_addr_i,     // byte offset in the window
    input  logic [ 31:0] host_wdata_i,
    input  logic [  3:0] host_strb_i,
    output logic         rsp_valid_o,
    output logic [ 31:0] rsp_rdata_o,
    output logic [  7:0] rsp_error_o,
    input  logic         start_i,
    input  logic         busy_i,
    input  logic [ 31:0] base_i,          // stream word
    input  logic [ 31:0] length_i,        // stream words
    output logic         stream_valid_o,
    input  logic         stream_ready_i,
    output logic [127:0] stream_data_o,
    output logic         stream_end_o
);
  localparam int unsigned AddrWidth = $clog2(Depth);
  localparam int unsigned FifoDepth = 8;  // more than the five cycles from a fetch to its place being free again
  if (Depth < 2 || Depth * riffle_pkg::StreamBytes > riffle_pkg::WeightsSize) begin : gen_bad_depth
    $error("Depth of weight_memory must be at least 2 and fit the WEIGHTS window");
  end

  // fetch: one word per cycle while the words on their way have a place in the FIFO
  logic active_q, exhausted_q, fetch, push, pop;
  logic [AddrWidth:0] next_q, left_q;  // 0..Depth
  logic [3:0] places_q;
  logic [2:0] flight_q;
  assign fetch     = active_q & ~exhausted_q & (places_q != '0);
  assign push      = flight_q[2];
  assign pop       = stream_valid_o & stream_ready_i;
  always_ff @(posedge clk_i) begin
    active_q <= rst_ni & (start_i | (active_q & busy_i));
    if (start_i) begin
      next_q <= (base_i < Depth) ? base_i[AddrWidth:0] : (AddrWidth + 1)'(Depth);
      left_q <= (length_i < Depth) ? length_i[AddrWidth:0] : (AddrWidth + 1)'(Depth);
      exhausted_q <= base_i >= Depth || length_i == '0;
    end else if (fetch) begin
      next_q <= next_q + 1'b1;
      left_q <= left_q - 1'b1;
      exhausted_q <= left_q == (AddrWidth + 1)'(1) || next_q == (AddrWidth + 1)'(Depth - 1);
    end
  end

  // memory: registered address, array read, output register
  logic mapped, host_read;
  logic [AddrWidth-1:0] addr_q;
  logic [3:0][3:0] we_q;
  logic [31:0] wdata_q;
  logic [3:0][31:0] word;
  assign mapped    = 32'(host_addr_i[17:4]) < Depth;
  assign host_read = host_valid_i & mapped & ~host_write_i;
  always_ff @(posedge clk_i) begin
    addr_q  <= active_q ? next_q[AddrWidth-1:0] : host_addr_i[4+:AddrWidth];
    wdata_q <= host_wdata_i;
    we_q    <= '0;
    we_q[host_addr_i[3:2]] <= host_strb_i & {4{host_valid_i & mapped & host_write_i}};
  end
  for (genvar i = 0; i < 4; i++) begin : gen_memory
    word_memory #(.Depth(Depth)) u_memory (
        .clk_i, .we_i(we_q[i]), .waddr_i(addr_q), .wdata_i(wdata_q), .raddr_i(addr_q), .rdata_o(word[i])
    );
  end

  // stream side: a FIFO takes what comes out of the memory, so that ready never stops the memory
  (* ram_style = "distributed" *) logic [127:0] fifo[FifoDepth];
  logic [3:0] wptr_q, rptr_q;
  assign stream_valid_o = wptr_q != rptr_q;
  assign stream_data_o  = fifo[rptr_q[2:0]];
  always_ff @(posedge clk_i) begin
    if (push) fifo[wptr_q[2:0]] <= word;
    flight_q <= {flight_q[1:0], fetch};
    places_q <= places_q + 4'(pop) - 4'(fetch);
    wptr_q   <= wptr_q + 4'(push);
    rptr_q   <= rptr_q + 4'(pop);
    stream_end_o <= exhausted_q & (places_q == 4'(FifoDepth));
    if (!active_q) begin
      {flight_q, wptr_q, rptr_q, stream_end_o} <= '0;
      places_q <= 4'(FifoDepth);
    end
  end

  // host side
  logic [1:0] reading_q;
  always_ff @(posedge clk_i) begin
    reading_q   <= {2{rst_ni}} & {reading_q[0], host_read};
    rsp_valid_o <= rst_ni & (reading_q[1] | (host_valid_i & ~host_read));
    rsp_error_o <= mapped ? riffle_pkg::ErrNone : riffle_pkg::ErrBusUnmapped;
  end
  assign rsp_rdata_o = word[host_addr_i[3:2]];

  logic unused;
  assign unused = &{1'b0, host_addr_i[1:0]};  // always 0: the host bus is word aligned
endmodule
