// The Verilated accelerator behind a C interface: an AXI4 master, the memory that it reads itself, an interrupt and a
// clock that only runs when asked.
// host/riffle/backends/verilated.py calls it through ctypes; tools/build_model.py builds it.
//
// Accesses return the AXI response (0 OKAY, 2 SLVERR, 3 DECERR) or -1 where the model has not answered in time.

#include <cstdint>
#include <memory>

#include "Vriffle.h"
#include "ddr.hpp"
#include "verilated.h"
#if VM_TRACE
#include "verilated_fst_c.h"
#endif

namespace {

constexpr int kAnswerWithin = 10000;  // cycles; an access takes a handful
constexpr uint32_t kBurstWords = 256;
constexpr uint32_t kBurstBoundary = 4096;  // bytes; no AXI burst crosses it
constexpr uint8_t kIncr = 1, kWord = 2;    // burst type, log2 of the bytes of a beat
constexpr int kNoAnswer = -1;
constexpr uint32_t kResetCycles = 16;

// Words of the next burst
uint32_t burst_length(uint32_t offset, uint32_t words) {
  uint32_t room = (kBurstBoundary - offset % kBurstBoundary + 3) / 4;
  uint32_t most = room < kBurstWords ? room : kBurstWords;
  return words < most ? words : most;
}

}  // namespace

struct Model {
  VerilatedContext context;
  std::unique_ptr<Vriffle> top;
#if VM_TRACE
  std::unique_ptr<VerilatedFstC> waves;
#endif
  Ddr ddr;
  uint64_t cycles = 0;

  Model(uint32_t seed, uint8_t* memory, uint8_t* allocated) : ddr(seed, memory, allocated) {
    context.randReset(2);  // memories and registers without reset start at random
    context.randSeed(static_cast<int>(seed));
    context.traceEverOn(true);
    top = std::make_unique<Vriffle>(&context);
    top->aclk = top->aresetn = 0;
    top->m_axi_arready = top->m_axi_rvalid = top->m_axi_rid = 0;
    top->s_axi_awvalid = top->s_axi_wvalid = top->s_axi_arvalid = top->s_axi_bready = top->s_axi_rready = 0;
    top->eval();  // the first one takes the level of the clock for granted: without it the first edge is lost
    reset(kResetCycles);
  }

  ~Model() {
    trace(nullptr);
    top->final();
  }

  bool interrupt() const { return top->__SYM__interrupt; }

  void dump() {
#if VM_TRACE
    if (waves) waves->dump(context.time());
#endif
  }

  void tick() {
    ddr.clock(*top, [this] {
      top->aclk = 1;
      top->eval();
      dump();
    });
    context.timeInc(5);
    top->aclk = 0;
    top->eval();
    dump();
    context.timeInc(5);
    ++cycles;
  }

  // The memory does not see it, and goes on
  void reset(uint32_t length) {
    top->aresetn = 0;
    context.assertOn(false);  // what has no reset is random until the clock has run
    while (length--) tick();
    context.assertOn(true);
    top->aresetn = 1;
    tick();
  }

  int write_burst(uint32_t offset, const uint32_t* data, uint32_t words, uint8_t strobes) {
    top->s_axi_awid = 1;
    top->s_axi_awaddr = offset;
    top->s_axi_awlen = static_cast<uint8_t>(words - 1);
    top->s_axi_awsize = kWord;
    top->s_axi_awburst = kIncr;
    top->s_axi_awvalid = top->s_axi_bready = 1;
    top->s_axi_wstrb = strobes;
    uint32_t sent = 0;
    for (int idle = 0; idle < kAnswerWithin; ++idle) {
      top->s_axi_wvalid = sent < words;
      top->s_axi_wlast = sent + 1 == words;
      if (sent < words) top->s_axi_wdata = data[sent];
      top->eval();
      bool address_taken = top->s_axi_awvalid && top->s_axi_awready;
      bool data_taken = top->s_axi_wvalid && top->s_axi_wready;
      bool answered = top->s_axi_bvalid;
      int response = top->s_axi_bresp;
      tick();
      if (address_taken) top->s_axi_awvalid = 0;
      if (data_taken) ++sent, idle = 0;
      if (answered) {
        top->s_axi_bready = 0;
        return response;
      }
    }
    return kNoAnswer;
  }

  int read_burst(uint32_t offset, uint32_t* data, uint32_t words) {
    top->s_axi_arid = 2;
    top->s_axi_araddr = offset;
    top->s_axi_arlen = static_cast<uint8_t>(words - 1);
    top->s_axi_arsize = kWord;
    top->s_axi_arburst = kIncr;
    top->s_axi_arvalid = top->s_axi_rready = 1;
    int worst = 0;
    uint32_t got = 0;
    for (int idle = 0; idle < kAnswerWithin && got < words; ++idle) {
      top->eval();
      bool address_taken = top->s_axi_arvalid && top->s_axi_arready;
      bool data_given = top->s_axi_rvalid;
      if (data_given) {
        data[got++] = top->s_axi_rdata;
        if (top->s_axi_rresp) worst = top->s_axi_rresp;
        idle = 0;
      }
      tick();
      if (address_taken) top->s_axi_arvalid = 0;
    }
    top->s_axi_rready = 0;
    return got == words ? worst : kNoAnswer;
  }

  int trace(const char* path) {
#if VM_TRACE
    if (waves) waves->close();
    waves.reset();
    if (path) {
      waves = std::make_unique<VerilatedFstC>();
      top->trace(waves.get(), 99);
      waves->open(path);
    }
    return 0;
#else
    return path ? kNoAnswer : 0;
#endif
  }
};

extern "C" {

Model* riffle_new(uint32_t seed) { return new Model(seed, nullptr, nullptr); }

// The same around the caller's memory and its page table, a byte for each page of 4096, which live until riffle_free
Model* riffle_new_around(uint32_t seed, uint8_t* memory, uint8_t* allocated) { return new Model(seed, memory, allocated); }

void riffle_free(Model* model) { delete model; }
void riffle_reset(Model* model, uint32_t cycles) { model->reset(cycles); }
uint64_t riffle_cycles(const Model* model) { return model->cycles; }
int riffle_interrupt(const Model* model) { return model->interrupt(); }

// FST waveforms to `path`, or no more where it is null; -1 where the model was built without
int riffle_trace(Model* model, const char* path) { return model->trace(path); }

// The memory behind m_axi: its size, the physical address of its first byte, how it behaves, and how many bursts it has
// taken and not answered to the end
uint32_t riffle_ddr_size(const Model*) { return Ddr::kSize; }
uint32_t riffle_ddr_base(const Model*) { return Ddr::kBase; }
DdrSettings* riffle_ddr_settings(Model* model) { return &model->ddr.settings; }
uint32_t riffle_ddr_violations(const Model* model) { return model->ddr.violations; }
uint32_t riffle_ddr_waiting(const Model* model) { return model->ddr.waiting(); }

// Clock until the interrupt or for `cycles`; returns the level of the interrupt
int riffle_run(Model* model, uint64_t cycles) {
  while (!model->interrupt() && cycles--) model->tick();
  return model->interrupt();
}

void riffle_advance(Model* model, uint64_t cycles) {
  while (cycles--) model->tick();
}

int riffle_write(Model* model, uint32_t offset, uint32_t data, uint32_t strobes) {
  return model->write_burst(offset, &data, 1, static_cast<uint8_t>(strobes));
}

int riffle_read(Model* model, uint32_t offset, uint32_t* data) { return model->read_burst(offset, data, 1); }

// Bursts; stops at the first that fails
int riffle_write_block(Model* model, uint32_t offset, const uint32_t* data, uint32_t words) {
  while (words) {
    uint32_t now = burst_length(offset, words);
    if (int response = model->write_burst(offset, data, now, 0xF)) return response;
    offset += 4 * now, data += now, words -= now;
  }
  return 0;
}

int riffle_read_block(Model* model, uint32_t offset, uint32_t* data, uint32_t words) {
  while (words) {
    uint32_t now = burst_length(offset, words);
    if (int response = model->read_burst(offset, data, now)) return response;
    offset += 4 * now, data += now, words -= now;
  }
  return 0;
}

}  // extern "C"
