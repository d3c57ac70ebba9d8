// riffle - the accelerator as the processor sees it: one AXI4 segment and one interrupt
//
// Computes   axi_slave -> host_bus -> { control, program, log, weights, activations } around the engine
// Contract   docs/registers.md. Every access is answered; a failed one leaves a code in ERROR and its byte offset in
//            ERROR_INFO, and is answered with SLVERR if BUS says so. Any engine with the ports of u_engine will do. m_axi_* reads weights and images from DDR.
// Timing     a bulk write takes a beat every three cycles (activations and image: four)
module riffle #(
    parameter int unsigned Rows            = 7,     // lattice
    parameter int unsigned Columns         = 7,
    parameter int unsigned ActivationDepth = 2048,  // words per bank
    parameter int unsigned WeightDepth     = 10752, // stream words of 128 bits
    parameter int unsigned Engine          = 0,     // which u_engine is: 0 hand-written RTL, 1 HLS
    parameter int unsigned BuildHash       = 0      // of the sources, for the register
) (
    input  logic        aclk,
    input  logic        aresetn,
    input  logic [11:0] s_axi_awid,
    input  logic [20:0] s_axi_awaddr,
    input  logic [ 7:0] s_axi_awlen,
    input  logic [ 2:0] s_axi_awsize,
    input  logic [ 1:0] s_axi_awburst,
    input  logic        s_axi_awvalid,
    output logic        s_axi_awready,
    input  logic [31:0] s_axi_wdata,
    input  logic [ 3:0] s_axi_wstrb,
    input  logic        s_axi_wlast,
    input  logic        s_axi_wvalid,
    output logic        s_axi_wready,
    output logic [11:0] s_axi_bid,
    output logic [ 1:0] s_axi_bresp,
    output logic        s_axi_bvalid,
    input  logic        s_axi_bready,
    input  logic [11:0] s_axi_arid,
    input  logic [20:0] s_axi_araddr,
    input  logic [ 7:0] s_axi_arlen,
    input  logic [ 2:0] s_axi_arsize,
    input  logic [ 1:0] s_axi_arburst,
    input  logic        s_axi_arvalid,
    output logic        s_axi_arready,
    output logic [11:0] s_axi_rid,
    output logic [31:0] s_axi_rdata,
    output logic [ 1:0] s_axi_rresp,
    output logic        s_axi_rlast,
    output logic        s_axi_rvalid,
    input  logic        s_axi_rready,
    output logic        m_axi_arid,
    output logic [31:0] m_axi_araddr,
    output logic [ 7:0] m_axi_arlen,
    output logic [ 2:0] m_axi_arsize,
    output logic [ 1:0] m_axi_arburst,
    output logic [ 3:0] m_axi_arcache,
    output logic [ 2:0] m_axi_arprot,
    output logic        m_axi_arvalid,
    input  logic        m_axi_arready,
    input  logic        m_axi_rid,
    input  logic [63:0] m_axi_rdata,
    input  logic [ 1:0] m_axi_rresp,
    input  logic        m_axi_rlast,
    input  logic        m_axi_rvalid,
    output logic        m_axi_rready,
    // the name that pynq and Vivado know; Verilator's C++ model calls it __SYM__interrupt
    // verilator lint_off SYMRSVDWORD
    output logic        interrupt
    // verilator lint_on SYMRSVDWORD
);
  // targets of the host bus
  localparam int unsigned Registers = 0, Program = 1, Log = 2, Weights = 3, Activations = 4;

  logic clk_i, rst_ni;
  assign clk_i  = aclk;
  assign rst_ni = aresetn;

  // host bus: the fields of a request go to every target
  logic host_req, host_write, rsp_valid, error_valid, image, slverr;
  logic [20:0] host_addr, error_offset;
  logic [31:0] host_wdata, rsp_rdata;
  logic [3:0] host_strb;
  logic [7:0] rsp_error, error_code;
  logic [4:0] target, target_valid;
  logic [4:0][31:0] target_rdata;
  logic [4:0][7:0] target_error;

  axi_slave #(.AddrWidth(21), .IdWidth(12)) u_axi_slave (
      .clk_i, .rst_ni, .slverr_i(slverr),
      .s_axi_awid, .s_axi_awaddr, .s_axi_awlen, .s_axi_awsize, .s_axi_awburst, .s_axi_awvalid, .s_axi_awready,
      .s_axi_wdata, .s_axi_wstrb, .s_axi_wlast, .s_axi_wvalid, .s_axi_wready,
      .s_axi_bid, .s_axi_bresp, .s_axi_bvalid, .s_axi_bready,
      .s_axi_arid, .s_axi_araddr, .s_axi_arlen, .s_axi_arsize, .s_axi_arburst, .s_axi_arvalid, .s_axi_arready,
      .s_axi_rid, .s_axi_rdata, .s_axi_rresp, .s_axi_rlast, .s_axi_rvalid, .s_axi_rready,
      .req_valid_o(host_req), .req_write_o(host_write), .req_addr_o(host_addr),
      .req_wdata_o(host_wdata), .req_strb_o(host_strb),
      .rsp_valid_i(rsp_valid), .rsp_rdata_i(rsp_rdata), .rsp_error_i(rsp_error),
      .error_valid_o(error_valid), .error_code_o(error_code), .error_offset_o(error_offset)
  );

  logic running, start, stop, busy, done, waiting, fetch, fetching;
  logic [1:0] stream_source;
  host_bus u_host_bus (
      .clk_i, .rst_ni, .running_i(running), .fetching_i(fetching), .ring_i(stream_source == riffle_pkg::StreamSourceHost),
      .req_valid_i(host_req), .req_write_i(host_write), .req_addr_i(host_addr),
      .rsp_valid_o(rsp_valid), .rsp_rdata_o(rsp_rdata), .rsp_error_o(rsp_error),
      .target_o(target), .image_o(image),
      .rsp_valid_i(target_valid), .rsp_rdata_i(target_rdata), .rsp_error_i(target_error)
  );

  logic [7:0] first, current, engine_error;
  logic [8:0] length;
  logic [5:0] lane;
  logic [31:0] watchdog, stream_base, stream_length, stream_address, stream_taken, engine_info, cycles, fed, starved, waited;
  logic [31:0] image_address;
  logic [15:0] image_base;
  logic [7:0] image_after;
  logic [2:0] image_log2s;
  logic image_error, run_waits;
  logic [1:0] reading;
  logic [7:0] image_code;
  control #(
      .Rows(Rows), .Columns(Columns), .ActivationDepth(ActivationDepth), .WeightDepth(WeightDepth),
      .Engine(Engine), .BuildHash(BuildHash)
  ) u_control (
      .clk_i, .rst_ni,
      .host_valid_i(target[Registers]), .host_write_i(host_write), .host_addr_i(host_addr[9:0]),
      .host_wdata_i(host_wdata), .host_strb_i(host_strb),
      .rsp_valid_o(target_valid[Registers]), .rsp_rdata_o(target_rdata[Registers]),
      .rsp_error_o(target_error[Registers]),
      .error_valid_i(error_valid), .error_code_i(error_code), .error_offset_i(error_offset),
      .slverr_o(slverr), .interrupt_o(interrupt), .running_o(running), .start_o(start), .stop_o(stop), .fetch_o(fetch),
      .fetching_i(fetching), .reading_i(|reading), .image_failed_i(image_error & ~run_waits), .image_error_i(image_code),
      .first_o(first), .length_o(length), .lane_o(lane), .watchdog_o(watchdog),
      .stream_base_o(stream_base), .stream_length_o(stream_length), .stream_source_o(stream_source),
      .stream_address_o(stream_address), .stream_taken_i(stream_taken),
      .image_base_o(image_base), .image_log2s_o(image_log2s), .image_address_o(image_address),
      .image_after_o(image_after),
      .busy_i(busy), .done_i(done), .error_i(engine_error), .error_info_i(engine_info),
      .current_i(current), .cycles_i(cycles), .fed_i(fed), .starved_i(starved), .waited_i(waited)
  );

  logic [10:0] program_addr;
  logic [31:0] program_rdata;
  program_memory u_program_memory (
      .clk_i, .rst_ni,
      .host_valid_i(target[Program]), .host_write_i(host_write), .host_addr_i(host_addr[12:0]),
      .host_wdata_i(host_wdata), .host_strb_i(host_strb),
      .rsp_valid_o(target_valid[Program]), .rsp_rdata_o(target_rdata[Program]),
      .busy_i(busy), .addr_i(program_addr), .rdata_o(program_rdata)
  );
  assign target_error[Program] = riffle_pkg::ErrNone;

  logic log_we;
  logic [9:0] log_addr;
  logic [31:0] log_wdata;
  log_memory u_log_memory (
      .clk_i, .rst_ni,
      .host_valid_i(target[Log]), .host_addr_i(host_addr[11:0]),
      .rsp_valid_o(target_valid[Log]), .rsp_rdata_o(target_rdata[Log]),
      .we_i(log_we), .addr_i(log_addr), .wdata_i(log_wdata)
  );
  assign target_error[Log] = riffle_pkg::ErrNone;

  logic stream_valid, stream_ready, stream_end, fill_valid, taken;
  logic [127:0] stream_data, fill_data;
  weight_memory #(.Depth(WeightDepth)) u_weight_memory (
      .clk_i, .rst_ni,
      .host_valid_i(target[Weights]), .host_write_i(host_write), .host_addr_i(host_addr[17:0]),
      .host_wdata_i(host_wdata), .host_strb_i(host_strb),
      .rsp_valid_o(target_valid[Weights]), .rsp_rdata_o(target_rdata[Weights]), .rsp_error_o(target_error[Weights]),
      .start_i(start), .busy_i(busy), .resident_i(stream_source == riffle_pkg::StreamSourceResident), .base_i(stream_base),
      .length_i(stream_length), .fill_valid_i(fill_valid), .fill_data_i(fill_data), .taken_o(taken),
      .taken_count_o(stream_taken), .stream_valid_o(stream_valid), .stream_ready_i(stream_ready), .stream_data_o(stream_data),
      .stream_end_o(stream_end)
  );

  logic [3:0][$clog2(ActivationDepth)-1:0] act_raddr;
  logic [3:0][Rows*Columns*8-1:0] act_rdata;
  logic [3:0] act_we, image_banks;
  logic image_valid, image_ready;
  logic [$clog2(ActivationDepth)-1:0] act_waddr, image_addr;
  logic [Rows*Columns*8-1:0] act_wdata, image_word;

  // weights and images from DDR: what is in flight when a run or a fetch ends, or a reset comes, comes back to nobody
  localparam int unsigned ReadWeights = 0, ReadImage = 1;
  logic from_ddr, ddr_error, ddr_unfit, abort_image;
  logic [1:0] flush, req_valid, req_ready, read_valid, read_error, ar_valid, ar_ready, r_valid;
  logic [1:0][31:0] req_addr, ar_addr;
  logic [1:0][3:0] req_last, ar_len;
  logic [1:0][63:0] read_data;
  logic [23:0] ddr_word;
  logic [7:0] hold_error_q;
  logic image_first_q;
  always_ff @(posedge clk_i) from_ddr <= stream_source == riffle_pkg::StreamSourceDdr;  // the host writes START later
  assign flush    = ~{fetching, busy};  // both are low in the cycle of start and fetch
  for (genvar c = 0; c < 2; c++) begin : gen_read
    read_master u_read_master (
        .clk_i, .rst_ni, .flush_i(flush[c]), .reading_o(reading[c]), .req_valid_i(req_valid[c]), .req_ready_o(req_ready[c]),
        .req_addr_i(req_addr[c]), .req_last_i(req_last[c]), .data_valid_o(read_valid[c]), .data_o(read_data[c]),
        .data_error_o(read_error[c]), .m_axi_araddr(ar_addr[c]), .m_axi_arlen(ar_len[c]), .m_axi_arvalid(ar_valid[c]),
        .m_axi_arready(ar_ready[c]), .m_axi_rdata, .m_axi_rresp, .m_axi_rlast, .m_axi_rvalid(r_valid[c])
    );
  end
  always_ff @(posedge clk_i) image_first_q <= waiting & fetching;
  event_counter u_waited (.clk_i, .restart_i(start), .event_i(image_first_q), .count_o(waited));
  read_mux u_read_mux (  // a run that waits for its image has it first
      .clk_i, .only_1_i(image_first_q), .ar_valid_i(ar_valid), .ar_ready_o(ar_ready), .ar_addr_i(ar_addr), .ar_len_i(ar_len),
      .r_valid_o(r_valid), .m_axi_arid, .m_axi_araddr, .m_axi_arlen, .m_axi_arsize, .m_axi_arburst, .m_axi_arcache,
      .m_axi_arprot, .m_axi_arvalid, .m_axi_arready, .m_axi_rid, .m_axi_rvalid, .m_axi_rready
  );
  stream_fetch #(.Depth(WeightDepth)) u_stream_fetch (
      .clk_i, .rst_ni, .start_i(start & from_ddr), .stop_i(~running), .base_i(stream_address), .length_i(stream_length),
      .taken_i(taken), .unfit_o(ddr_unfit), .fill_valid_o(fill_valid), .fill_data_o(fill_data), .error_o(ddr_error), .word_o(ddr_word),
      .req_valid_o(req_valid[ReadWeights]), .req_ready_i(req_ready[ReadWeights]), .req_addr_o(req_addr[ReadWeights]),
      .req_last_o(req_last[ReadWeights]), .data_valid_i(read_valid[ReadWeights]), .data_i(read_data[ReadWeights]),
      .data_error_i(read_error[ReadWeights])
  );

  // an image that comes during a run waits until the descriptors before IMAGE_AFTER are through; where it does not come,
  // the run that waits for it ends with this error, or control tells the host
  logic hold_image_q;
  assign run_waits   = start | waiting;
  assign abort_image = stop | (done & engine_error != riffle_pkg::ErrNone);
  always_ff @(posedge clk_i) begin
    hold_image_q <= busy & ~waiting & (current < image_after);
    if (image_error && run_waits) hold_error_q <= image_code;
    else if (start || !rst_ni) hold_error_q <= riffle_pkg::ErrNone;
  end
  image_fetch #(.Rows(Rows), .Columns(Columns), .Depth(ActivationDepth)) u_image_fetch (
      .clk_i, .rst_ni, .start_i(fetch), .abort_i(abort_image), .hold_i(hold_image_q), .address_i(image_address),
      .base_i(image_base), .log2s_i(image_log2s), .busy_o(fetching), .error_o(image_error), .error_code_o(image_code),
      .req_valid_o(req_valid[ReadImage]), .req_ready_i(req_ready[ReadImage]), .req_addr_o(req_addr[ReadImage]),
      .req_last_o(req_last[ReadImage]), .data_valid_i(read_valid[ReadImage]), .data_i(read_data[ReadImage]),
      .data_error_i(read_error[ReadImage]), .write_valid_o(image_valid), .write_ready_i(image_ready),
      .write_banks_o(image_banks), .write_addr_o(image_addr), .write_word_o(image_word)
  );

  // BAD_STREAM is judged with START, DDR_RESPONSE holds from the failed read on
  logic [7:0] stream_error_q;
  logic [23:0] stream_detail_q;
  always_ff @(posedge clk_i) begin
    if (start) begin
      stream_error_q  <= (stream_source > riffle_pkg::StreamSourceDdr || (from_ddr && ddr_unfit)) ? riffle_pkg::ErrBadStream : riffle_pkg::ErrNone;
      stream_detail_q <= '0;
    end else if (from_ddr && ddr_error && stream_error_q == riffle_pkg::ErrNone) begin
      stream_error_q  <= riffle_pkg::ErrDdrResponse;
      stream_detail_q <= ddr_word;
    end
  end

  act_memory #(.Rows(Rows), .Columns(Columns), .Depth(ActivationDepth)) u_act_memory (
      .clk_i, .rst_ni,
      .host_valid_i(target[Activations]), .host_write_i(host_write), .host_image_i(image),
      .host_addr_i(host_addr[18:0]), .host_wdata_i(host_wdata), .host_strb_i(host_strb),
      .rsp_valid_o(target_valid[Activations]), .rsp_rdata_o(target_rdata[Activations]),
      .rsp_error_o(target_error[Activations]),
      .image_base_i(image_base), .image_log2s_i(image_log2s),
      .act_raddr_i(act_raddr), .act_rdata_o(act_rdata),
      .act_we_i(act_we), .act_waddr_i(act_waddr), .act_wdata_i(act_wdata),
      .image_valid_i(image_valid), .image_ready_o(image_ready), .image_banks_i(image_banks), .image_addr_i(image_addr),
      .image_word_i(image_word)
  );

  engine #(.Rows(Rows), .Columns(Columns), .ActivationDepth(ActivationDepth)) u_engine (
      .clk_i, .rst_ni, .start_i(start), .stop_i(stop), .hold_i(fetching | fetch), .hold_error_i(hold_error_q),
      .waiting_o(waiting), .first_i(first), .length_i(length), .lane_i(lane), .watchdog_i(watchdog),
      .busy_o(busy), .done_o(done), .error_o(engine_error), .error_info_o(engine_info), .current_o(current),
      .cycles_o(cycles), .fed_o(fed), .starved_o(starved),
      .program_addr_o(program_addr), .program_rdata_i(program_rdata),
      .log_we_o(log_we), .log_addr_o(log_addr), .log_wdata_o(log_wdata),
      .stream_valid_i(stream_valid), .stream_ready_o(stream_ready), .stream_data_i(stream_data),
      .stream_end_i(stream_end), .stream_error_i(stream_error_q), .stream_detail_i(stream_detail_q),
      .act_raddr_o(act_raddr), .act_rdata_i(act_rdata),
      .act_we_o(act_we), .act_waddr_o(act_waddr), .act_wdata_o(act_wdata)
  );
endmodule
