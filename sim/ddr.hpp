// The board's memory as the read master sees it through an HP port: latency, bandwidth, refresh, back-pressure, faults.
// It has no reset, as the port has none: what was asked for before a reset of the accelerator is answered after it.
#pragma once

#include <cstdint>
#include <cstring>
#include <deque>
#include <random>
#include <vector>

struct DdrSettings {
  uint32_t latency;           // cycles from an address to its first beat
  uint32_t latency_worst;     // one burst in sixteen takes up to this
  uint32_t bytes_per_1024;    // bytes that may pass in 1024 cycles; one HP port: 8192
  uint32_t refresh_interval;  // cycles from refresh to refresh, 0: none
  uint32_t refresh_cycles;    // cycles without data in each
  uint32_t stall_percent;     // chance that address or data wait a cycle
  uint32_t fail_from;         // addresses from here on are answered with SLVERR
  uint32_t silent;            // 1: no answers
};

class Ddr {
  std::vector<uint8_t> own_memory_, own_allocated_;

 public:
  static constexpr uint32_t kBase = 0x10000000, kSize = 32u << 20, kPage = 4096;
  static constexpr uint32_t kBurstsInFlight = 8, kBeat = 8, kBeats = 16, kBoundary = 4096;
  static constexpr uint8_t kOkay = 0, kSlverr = 2, kDecerr = 3;

  DdrSettings settings{38, 85, 8192, 1170, 24, 0, UINT32_MAX, 0};
  uint8_t* const memory;  // kSize bytes
  // Pages that somebody has allocated, kSize / kPage; the others answer with DECERR. The board is less strict: there a
  // freed buffer is memory of somebody else, which can be read.
  uint8_t* const allocated;

  // Addresses that the accelerator withdrew or changed before they were taken, or that AXI does not allow
  uint32_t violations = 0;

  // The caller's memory and page table, which must outlive this, or one's own where they are null
  Ddr(uint32_t seed, uint8_t* outer_memory, uint8_t* outer_allocated)
      : memory(outer_memory ? outer_memory : (own_memory_.resize(kSize), own_memory_.data())),
        allocated(outer_allocated ? outer_allocated : (own_allocated_.resize(kSize / kPage), own_allocated_.data())),
        random_(seed) {}

  // Bursts that are not answered, or not to the end
  uint32_t waiting() const { return static_cast<uint32_t>(bursts_.size()); }

  // One clock edge: the handshakes of the cycle that ends, the accelerator's edge, and the signals of the next cycle
  template <class Top, class Edge>
  void clock(Top& top, Edge edge) {
    const bool asked = top.m_axi_arvalid && top.m_axi_arready, taken = top.m_axi_rvalid && top.m_axi_rready;
    const uint32_t address = top.m_axi_araddr, beats = top.m_axi_arlen + 1u, id = top.m_axi_arid;
    const bool offered = top.m_axi_arvalid && !asked;
    edge();
    if (offered && !(top.m_axi_arvalid && top.m_axi_araddr == address && top.m_axi_arlen + 1u == beats && top.m_axi_arid == id))
      ++violations;
    ++now_;
    if (asked) {
      if (address % kBeat || beats > kBeats || address % kBoundary + beats * kBeat > kBoundary) ++violations;
      uint32_t latency = settings.latency;
      if (random_() % 16 == 0 && settings.latency_worst > latency) latency += random_() % (settings.latency_worst - latency + 1);
      bursts_.push_back({address, beats, id, now_ + latency});
    }
    if (taken) {
      bursts_.front().address += kBeat;
      if (--bursts_.front().beats == 0) bursts_.pop_front();
      offered_ = false;
    }
    budget_ += settings.bytes_per_1024;
    if (budget_ > kBeat * 1024) budget_ = kBeat * 1024;
    bool refreshing = settings.refresh_interval && now_ % settings.refresh_interval < settings.refresh_cycles;
    if (!offered_ && !bursts_.empty() && now_ >= bursts_.front().ready && budget_ >= kBeat * 1024 && !refreshing &&
        !settings.silent && !stalls()) {
      offered_ = true;
      budget_ -= kBeat * 1024;
    }
    top.m_axi_rvalid = offered_;
    if (offered_) answer(top);
    top.m_axi_arready = bursts_.size() < kBurstsInFlight && !stalls();
  }

 private:
  struct Burst {
    uint32_t address, beats, id;
    uint64_t ready;
  };

  bool stalls() { return settings.stall_percent && random_() % 100 < settings.stall_percent; }

  template <class Top>
  void answer(Top& top) {
    const Burst& burst = bursts_.front();
    bool mapped = burst.address >= kBase && burst.address - kBase <= kSize - kBeat &&
                  allocated[(burst.address - kBase) / kPage];
    uint64_t data = random_();
    if (mapped) std::memcpy(&data, &memory[burst.address - kBase], kBeat);
    top.m_axi_rdata = data;
    top.m_axi_rresp = !mapped ? kDecerr : burst.address >= settings.fail_from ? kSlverr : kOkay;
    top.m_axi_rlast = burst.beats == 1;
    top.m_axi_rid = burst.id;
  }

  std::mt19937 random_;
  std::deque<Burst> bursts_;
  uint64_t now_ = 0, budget_ = 0;
  bool offered_ = false;
};
