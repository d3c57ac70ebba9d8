// engine - the descriptor-driven engine with the ports of hw/rtl/engine.sv
//
// Ports      program, cycle_log: memories of 32-bit words (program: data two cycles after the address)
//            act_read, act_write: the four banks of the activation memory, read port (three cycles) and write port
//            stream: FIFO of weight words; stream_end: none will come beside those in it
//            stop: error code to stop with, 0 to go on; first .. watchdog: sampled at the start
//            error .. starved: how it ended and what it counted, each with a valid signal; ap_ctrl_hs starts and ends
//            it hls/rtl/engine.sv gives it the names and handshakes of the hand-written engine
// Reference  riffle.isa.emulator.execute
#include "../include/riffle/engine.hpp"

#ifndef RIFFLE_ROWS  // the full configuration of spec/riffle.yaml; tests build smaller ones
#define RIFFLE_ROWS 7
#define RIFFLE_COLUMNS 7
#define RIFFLE_DEPTH 2048
#endif

typedef riffle::Word<RIFFLE_ROWS, RIFFLE_COLUMNS> Word;

extern "C" void riffle_engine(const std::uint32_t program[riffle::kDescriptors * riffle::kDescriptorWords],
                              std::uint32_t cycle_log[riffle::kDescriptors * riffle::kLogWords],
                              const Word act_read[riffle::kBanks][RIFFLE_DEPTH],
                              Word act_write[riffle::kBanks][RIFFLE_DEPTH], riffle::WeightStream& stream,
                              riffle::StreamEnd stream_end, riffle::Stop stop, std::uint32_t first,
                              std::uint32_t count, std::uint32_t lane, std::uint32_t watchdog, std::uint32_t* error,
                              std::uint32_t* info, volatile std::uint32_t* current, std::uint32_t* cycles,
                              std::uint32_t* fed, std::uint32_t* starved) {
  RIFFLE_HANDSHAKE
  RIFFLE_MEMORY(program, 2)
  RIFFLE_MEMORY(cycle_log, 1)
  RIFFLE_MEMORY(act_read, 3)
  RIFFLE_MEMORY(act_write, 1)
  RIFFLE_ONE_WORD(act_read)
  RIFFLE_ONE_WORD(act_write)
  RIFFLE_SPLIT(act_read, 1)
  RIFFLE_SPLIT(act_write, 1)
  RIFFLE_FIFO(stream)
  RIFFLE_WIRE(stream_end)
  RIFFLE_WIRE(stop)
  RIFFLE_WIRE(first)
  RIFFLE_WIRE(count)
  RIFFLE_WIRE(lane)
  RIFFLE_WIRE(watchdog)
  RIFFLE_RESULT(error)
  RIFFLE_RESULT(info)
  RIFFLE_RESULT(current)
  RIFFLE_RESULT(cycles)
  RIFFLE_RESULT(fed)
  RIFFLE_RESULT(starved)
  riffle::Run run = {riffle::Error::None, first, 0, 0, 0, 0, watchdog};
  riffle::run_program<RIFFLE_ROWS, RIFFLE_COLUMNS, RIFFLE_DEPTH>(program, cycle_log, act_read, act_write, first, count,
                                                               lane, stream, stream_end, stop, current, run);
  *error = static_cast<std::uint32_t>(run.error);
  *info = run.detail << 8 | run.index;
  *cycles = run.cycles;
  *fed = run.fed;
  *starved = run.starved;
}
