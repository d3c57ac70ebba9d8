// host_bus - which window an access falls into, and whether it may
//
// Computes   target_o: a pulse to the target of the access; or, where there is none or it may not be accessed now, an
//            error response. The fields of the request go to all targets past this module.
// Contract   one access at a time; each pulse of target_o is answered by one pulse of rsp_valid_i of that target, with its
//            rdata and error. LOG is read only, IMAGE write only; while the engine runs only registers and LOG, and writes to
//            WEIGHTS with ring_i; while an image is being fetched neither IMAGE nor ACTIVATIONS.
// Timing     target_o one cycle after req_valid_i, errors two cycles; responses one cycle after the target's
module host_bus (
    input  logic             clk_i,
    input  logic             rst_ni,
    input  logic             running_i,    // the engine runs, or starts in this cycle
    input  logic             fetching_i,   // an image is being fetched
    input  logic             ring_i,       // the host fills the weights as they are used
    input  logic             req_valid_i,
    input  logic             req_write_i,
    input  logic [20:0]      req_addr_i,
    output logic             rsp_valid_o,
    output logic [31:0]      rsp_rdata_o,
    output logic [ 7:0]      rsp_error_o,  // 0: fine
    output logic [ 4:0]      target_o,     // registers, program, log, weights, activations
    output logic             image_o,      // with the target activations: through the image window
    input  logic [ 4:0]      rsp_valid_i,
    input  logic [4:0][31:0] rsp_rdata_i,
    input  logic [4:0][ 7:0] rsp_error_i
);
  // Windows are aligned to their size, a power of two
  function automatic logic hit(input logic [20:0] addr, input logic [20:0] offset, input int unsigned size);
    hit = (addr & ~21'(size - 1)) == offset;
  endfunction

  logic registers, descriptors, log, weights, image, raw;
  assign registers   = hit(req_addr_i, riffle_pkg::RegistersOffset, riffle_pkg::RegistersSize);
  assign descriptors = hit(req_addr_i, riffle_pkg::ProgramOffset, riffle_pkg::ProgramSize);
  assign log         = hit(req_addr_i, riffle_pkg::LogOffset, riffle_pkg::LogSize);
  assign weights     = hit(req_addr_i, riffle_pkg::WeightsOffset, riffle_pkg::WeightsSize);
  assign image       = hit(req_addr_i, riffle_pkg::ImageOffset, riffle_pkg::ImageSize);
  assign raw         = hit(req_addr_i, riffle_pkg::ActivationsOffset, riffle_pkg::ActivationsSize);

  logic [4:0] target;
  logic [7:0] error, error_q;
  assign target = {image | raw, weights, log, descriptors, registers};
  always_comb begin
    if (target == '0) error = riffle_pkg::ErrBusUnmapped;
    else if ((log && req_write_i) || (image && !req_write_i)) error = riffle_pkg::ErrBusAccess;
    else if (running_i && !registers && !log && !(weights && req_write_i && ring_i)) error = riffle_pkg::ErrBusBusy;
    else if (fetching_i && (image || raw)) error = riffle_pkg::ErrBusBusy;
    else error = riffle_pkg::ErrNone;
  end
  always_ff @(posedge clk_i) begin
    target_o <= (rst_ni && req_valid_i && error == riffle_pkg::ErrNone) ? target : '0;
    error_q  <= (rst_ni && req_valid_i) ? error : riffle_pkg::ErrNone;
    image_o  <= image;
  end

  logic rsp_valid;
  logic [31:0] rsp_rdata;
  logic [7:0] rsp_error;
  always_comb begin
    rsp_valid = error_q != riffle_pkg::ErrNone;
    rsp_rdata = '0;
    rsp_error = error_q;
    for (int t = 0; t < 5; t++) begin
      if (rsp_valid_i[t]) begin
        rsp_valid = 1'b1;
        rsp_rdata = rsp_rdata | rsp_rdata_i[t];
        rsp_error = rsp_error | rsp_error_i[t];
      end
    end
  end
  always_ff @(posedge clk_i) begin
    rsp_valid_o <= rst_ni & rsp_valid;
    rsp_rdata_o <= rsp_rdata;
    rsp_error_o <= rsp_error;
  end
endmodule
