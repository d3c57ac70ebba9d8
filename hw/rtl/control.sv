// control - registers, interrupt, start and stop of the engine, the first error
//
// Computes   the registers of docs/registers.md
// Contract   host_*: fields stay until the response; exactly one response pulse for each host_valid_i pulse.
//            A write is refused whole where something under way reads the register late (STREAM_SOURCE while the engine
//            runs; IMAGE, IMAGE_ADDRESS and IMAGE_AFTER while an image is being fetched), where CTRL asks for a START or
//            FETCH that cannot be, and where the register has no place for a bit that is 1. Everything else is sampled with
//            start_o, and stable then.
//            ISR and DONE: setting wins over clearing. ERROR keeps the first error, but one of the engine or an image
//            replaces a bus error. START clears ERROR, but not a bus error, which the host may not have seen.
// Timing     an access is answered after two cycles; interrupt_o follows its causes by one cycle, ERROR a bus error by two
module control #(
    parameter int unsigned Rows            = 7,      // lattice
    parameter int unsigned Columns         = 7,
    parameter int unsigned ActivationDepth = 2048,   // words per bank
    parameter int unsigned WeightDepth     = 10752,  // stream words
    parameter int unsigned Engine          = 0,      // CAPS.ENGINE: 0 hand-written RTL, 1 HLS
    parameter int unsigned BuildHash       = 0       // BUILD_HASH
) (
    input  logic        clk_i,
    input  logic        rst_ni,
    input  logic        host_valid_i,
    input  logic        host_write_i,
    input  logic [ 9:0] host_addr_i,      // byte offset in the window
    input  logic [31:0] host_wdata_i,
    input  logic [ 3:0] host_strb_i,
    output logic        rsp_valid_o,
    output logic [31:0] rsp_rdata_o,
    output logic [ 7:0] rsp_error_o,
    input  logic        error_valid_i,    // a bus error
    input  logic [ 7:0] error_code_i,
    input  logic [20:0] error_offset_i,
    output logic        slverr_o,         // answer bus errors with SLVERR
    output logic        interrupt_o,
    output logic        running_o,        // from START until the engine has stopped
    output logic        start_o,
    output logic        stop_o,
    output logic        fetch_o,          // fetch an image
    input  logic        fetching_i,
    input  logic        reading_i,        // reads of memory are in flight
    input  logic        image_failed_i,   // an image that no run waits for does not come
    input  logic [ 7:0] image_error_i,    // with image_failed_i
    output logic [ 7:0] first_o,
    output logic [ 8:0] length_o,
    output logic [ 5:0] lane_o,
    output logic [31:0] watchdog_o,
    output logic [31:0] stream_base_o,
    output logic [31:0] stream_length_o,
    output logic [ 1:0] stream_source_o,
    output logic [31:0] stream_address_o,
    input  logic [31:0] stream_taken_i,
    output logic [15:0] image_base_o,
    output logic [ 2:0] image_log2s_o,
    output logic [31:0] image_address_o,
    output logic [ 7:0] image_after_o,
    input  logic        busy_i,
    input  logic        done_i,
    input  logic [ 7:0] error_i,          // with done_i; 0: a clean finish
    input  logic [31:0] error_info_i,
    input  logic [ 7:0] current_i,
    input  logic [31:0] cycles_i,
    input  logic [31:0] fed_i,
    input  logic [31:0] starved_i,
    input  logic [31:0] waited_i
);
  localparam logic Ro = 1'b0, Rw = 1'b1;
  localparam logic [31:0] Caps = (Rows << riffle_pkg::CapsRowsLsb) | (Columns << riffle_pkg::CapsColumnsLsb)
                               | (Engine << riffle_pkg::CapsEngineLsb) | (1 << riffle_pkg::CapsStreamLsb);
  localparam logic [31:0] Depths = (ActivationDepth << riffle_pkg::DepthsActivationsLsb)
                                 | (WeightDepth << riffle_pkg::DepthsWeightsLsb);

  logic gier_q, done_q, fetching;
  logic [1:0] ier_q, isr_q;
  logic [7:0] error_q, error_code_q;  // the register; a bus error, one cycle later
  logic error_valid_q;
  logic [20:0] error_offset_q;
  logic [31:0] error_info_q, program_id_q, ctrl, image;
  assign fetching = fetching_i | fetch_o;
  always_comb begin
    ctrl = '0;
    ctrl[riffle_pkg::CtrlStartLsb] = running_o;
    ctrl[riffle_pkg::CtrlDoneLsb]  = done_q;
    ctrl[riffle_pkg::CtrlIdleLsb]  = ~running_o;
    ctrl[riffle_pkg::CtrlReadyLsb] = ~running_o;
    ctrl[riffle_pkg::CtrlFetchingLsb] = fetching;
    ctrl[riffle_pkg::CtrlReadingLsb]  = reading_i;
    image = '0;
    image[riffle_pkg::ImageBaseLsb+:riffle_pkg::ImageBaseWidth]   = image_base_o;
    image[riffle_pkg::ImageLog2sLsb+:riffle_pkg::ImageLog2sWidth] = image_log2s_o;
  end

  // First cycle of an access: look the register up
  logic access_q, known, known_q, writable, writable_q;
  logic [31:0] word;
  always_comb begin
    known = 1'b1;
    unique case (host_addr_i)
      riffle_pkg::RegCtrl:          {writable, word} = {Rw, ctrl};
      riffle_pkg::RegGier:          {writable, word} = {Rw, 32'(gier_q)};
      riffle_pkg::RegIer:           {writable, word} = {Rw, 32'(ier_q)};
      riffle_pkg::RegIsr:           {writable, word} = {Rw, 32'(isr_q)};
      riffle_pkg::RegId:            {writable, word} = {Ro, riffle_pkg::IdValue};
      riffle_pkg::RegVersion:       {writable, word} = {Ro, riffle_pkg::Version};
      riffle_pkg::RegSpecHash:      {writable, word} = {Ro, riffle_pkg::SpecHash};
      riffle_pkg::RegCaps:          {writable, word} = {Ro, Caps};
      riffle_pkg::RegDepths:        {writable, word} = {Ro, Depths};
      riffle_pkg::RegProgramFirst:  {writable, word} = {Rw, 32'(first_o)};
      riffle_pkg::RegProgramLength: {writable, word} = {Rw, 32'(length_o)};
      riffle_pkg::RegStreamBase:    {writable, word} = {Rw, stream_base_o};
      riffle_pkg::RegStreamLength:  {writable, word} = {Rw, stream_length_o};
      riffle_pkg::RegImage:         {writable, word} = {Rw, image};
      riffle_pkg::RegLane:          {writable, word} = {Rw, 32'(lane_o)};
      riffle_pkg::RegWatchdog:      {writable, word} = {Rw, watchdog_o};
      riffle_pkg::RegError:         {writable, word} = {Rw, 32'(error_q)};
      riffle_pkg::RegErrorInfo:     {writable, word} = {Ro, error_info_q};
      riffle_pkg::RegCurrent:       {writable, word} = {Ro, 32'(current_i)};
      riffle_pkg::RegCycles:        {writable, word} = {Ro, cycles_i};
      riffle_pkg::RegBusy:          {writable, word} = {Ro, fed_i};
      riffle_pkg::RegStarved:       {writable, word} = {Ro, starved_i};
      riffle_pkg::RegWaited:        {writable, word} = {Ro, waited_i};
      riffle_pkg::RegStreamSource:  {writable, word} = {Rw, 32'(stream_source_o)};
      riffle_pkg::RegStreamAddress: {writable, word} = {Rw, stream_address_o};
      riffle_pkg::RegBuildHash:     {writable, word} = {Ro, BuildHash};
      riffle_pkg::RegImageAddress:  {writable, word} = {Rw, image_address_o};
      riffle_pkg::RegImageAfter:    {writable, word} = {Rw, 32'(image_after_o)};
      riffle_pkg::RegStreamTaken:   {writable, word} = {Ro, stream_taken_i};
      riffle_pkg::RegProgramId:     {writable, word} = {Rw, program_id_q};
      riffle_pkg::RegBus:           {writable, word} = {Rw, 32'(slverr_o)};
      default:                      {known, writable, word} = '0;
    endcase
  end

  // Second cycle: a write replaces bytes of what was found
  logic write, start_asked, fetch_asked, busy, busy_q, stray, clear_error, bus_error;
  logic [31:0] mask, set, value;
  assign mask  = {{8{host_strb_i[3]}}, {8{host_strb_i[2]}}, {8{host_strb_i[1]}}, {8{host_strb_i[0]}}};
  assign set   = host_wdata_i & mask;  // for fields where writing 1 does something
  assign value = set | (rsp_rdata_o & ~mask);
  always_comb begin
    unique case (host_addr_i)
      riffle_pkg::RegCtrl: busy = (running_o & set[riffle_pkg::CtrlStartLsb]) | (fetching & set[riffle_pkg::CtrlFetchLsb]);
      riffle_pkg::RegStreamSource: busy = running_o;
      riffle_pkg::RegImage, riffle_pkg::RegImageAddress, riffle_pkg::RegImageAfter: busy = fetching;
      default: busy = 1'b0;
    endcase
  end
  // registers that keep a part of what is written, and their bits; the others keep all, or act and keep nothing
  localparam int unsigned Parts = 9;
  localparam logic [Parts*10-1:0] PartRegs = {
    riffle_pkg::RegGier, riffle_pkg::RegIer, riffle_pkg::RegProgramFirst, riffle_pkg::RegProgramLength, riffle_pkg::RegImage,
    riffle_pkg::RegLane, riffle_pkg::RegStreamSource, riffle_pkg::RegImageAfter, riffle_pkg::RegBus};
  localparam logic [Parts*32-1:0] PartBits = {
    riffle_pkg::GierBits, riffle_pkg::IerBits, riffle_pkg::ProgramFirstBits, riffle_pkg::ProgramLengthBits, riffle_pkg::ImageBits,
    riffle_pkg::LaneBits, riffle_pkg::StreamSourceBits, riffle_pkg::ImageAfterBits, riffle_pkg::BusBits};
  logic [Parts-1:0] part_q, beyond_q;  // this register; it has no place for a bit that is 1
  assign stray = |(part_q & beyond_q);
  assign write = access_q & host_write_i & writable_q & ~busy_q & ~stray;
  assign start_asked = write & (host_addr_i == riffle_pkg::RegCtrl) & set[riffle_pkg::CtrlStartLsb];
  assign fetch_asked = write & (host_addr_i == riffle_pkg::RegCtrl) & set[riffle_pkg::CtrlFetchLsb];
  assign bus_error = error_q >= riffle_pkg::ErrBusUnmapped;
  assign clear_error = (start_asked & ~bus_error) | (write & (host_addr_i == riffle_pkg::RegError));

  always_ff @(posedge clk_i) begin
    access_q   <= host_valid_i;
    known_q    <= known;
    writable_q <= writable;
    busy_q     <= busy;
    for (int p = 0; p < int'(Parts); p++) begin
      part_q[p]   <= host_addr_i == PartRegs[10*p+:10];
      beyond_q[p] <= |(set & ~PartBits[32*p+:32]);
    end
    if (host_valid_i) rsp_rdata_o <= word;
    rsp_valid_o <= access_q;
    rsp_error_o <= riffle_pkg::ErrNone;
    if (!known_q) rsp_error_o <= riffle_pkg::ErrBusUnmapped;
    else if (host_write_i && !writable_q) rsp_error_o <= riffle_pkg::ErrBusAccess;
    else if (host_write_i && stray) rsp_error_o <= riffle_pkg::ErrBusValue;
    else if (host_write_i && busy_q) rsp_error_o <= riffle_pkg::ErrBusBusy;

    start_o <= start_asked;
    fetch_o <= fetch_asked;
    stop_o  <= write & (running_o | fetching) & (host_addr_i == riffle_pkg::RegCtrl) & set[riffle_pkg::CtrlAbortLsb];
    if (write) begin
      unique case (host_addr_i)
        riffle_pkg::RegGier:          gier_q          <= value[riffle_pkg::GierEnableLsb];
        riffle_pkg::RegIer:           ier_q           <= value[1:0];
        riffle_pkg::RegIsr:           isr_q           <= isr_q & ~set[1:0];
        riffle_pkg::RegProgramFirst:  first_o         <= value[7:0];
        riffle_pkg::RegProgramLength: length_o        <= value[8:0];
        riffle_pkg::RegStreamBase:    stream_base_o   <= value;
        riffle_pkg::RegStreamLength:  stream_length_o <= value;
        riffle_pkg::RegStreamSource:  stream_source_o  <= value[1:0];
        riffle_pkg::RegStreamAddress: stream_address_o <= value;
        riffle_pkg::RegImageAddress:  image_address_o  <= value;
        riffle_pkg::RegImageAfter:    image_after_o    <= value[7:0];
        riffle_pkg::RegProgramId:     program_id_q     <= value;
        riffle_pkg::RegLane:          lane_o          <= value[5:0];
        riffle_pkg::RegWatchdog:      watchdog_o      <= value;
        riffle_pkg::RegBus:           slverr_o        <= value[riffle_pkg::BusSlverrLsb];
        riffle_pkg::RegImage: begin
          image_base_o  <= value[riffle_pkg::ImageBaseLsb+:riffle_pkg::ImageBaseWidth];
          image_log2s_o <= value[riffle_pkg::ImageLog2sLsb+:riffle_pkg::ImageLog2sWidth];
        end
        default: ;
      endcase
    end

    // Events, later ones win
    if (start_o || (host_valid_i && !host_write_i && host_strb_i[0] && host_addr_i == riffle_pkg::RegCtrl)) done_q <= 1'b0;
    if (clear_error) {error_q, error_info_q} <= '0;
    error_valid_q <= error_valid_i;
    {error_code_q, error_offset_q} <= {error_code_i, error_offset_i};
    if (error_valid_q && (error_q == riffle_pkg::ErrNone || clear_error)) begin
      error_q      <= error_code_q;
      error_info_q <= 32'(error_offset_q);
    end
    if (image_failed_i) begin
      isr_q[riffle_pkg::IsrErrorLsb] <= 1'b1;
      if (error_q == riffle_pkg::ErrNone || bus_error || clear_error) {error_q, error_info_q} <= {image_error_i, 32'd0};
    end
    if (done_i) begin
      done_q <= 1'b1;
      if (error_i == riffle_pkg::ErrNone) isr_q[riffle_pkg::IsrDoneLsb] <= 1'b1;
      else begin
        isr_q[riffle_pkg::IsrErrorLsb] <= 1'b1;
        {error_q, error_info_q} <= {error_i, error_info_i};
      end
    end
    interrupt_o <= gier_q & |(isr_q & ier_q);

    if (!rst_ni) begin
      {access_q, rsp_valid_o, start_o, stop_o, interrupt_o, error_valid_q} <= '0;
      {gier_q, ier_q, isr_q, done_q, error_q, error_info_q} <= '0;
      {first_o, length_o, lane_o, stream_base_o, stream_length_o, stream_source_o, stream_address_o} <= '0;
      {image_base_o, image_log2s_o, image_address_o, image_after_o, fetch_o, program_id_q, slverr_o} <= '0;
      watchdog_o <= riffle_pkg::WatchdogReset;
    end
  end
  assign running_o = start_o | busy_i;
endmodule
