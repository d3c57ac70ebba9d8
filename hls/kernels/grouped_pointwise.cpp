// grouped_pointwise - grouped 1x1 convolution with channel shuffle between two block RAMs
//
// Ports      source, target: 32-bit block RAM ports (map.hpp says what lies there); control: AXI4-Lite with ap_ctrl_hs,
//            interrupt and the arguments, which riffle::Pointwise explains
// Returns    0, or 1 where the sizes contradict each other or the memories: nothing is then written
// Reference  riffle.graph.reference.convolution
#include "../include/riffle/grouped_pointwise.hpp"

extern "C" std::uint32_t grouped_pointwise(const std::uint32_t source[riffle::kMapWords],
                                           std::uint32_t target[riffle::kMapWords], std::uint32_t maps,
                                           std::uint32_t weights, std::uint32_t scales, std::uint32_t result,
                                           std::uint32_t words, std::uint32_t groups, std::uint32_t inputs,
                                           std::uint32_t outputs, std::uint32_t modulus, std::uint32_t step_low,
                                           std::uint32_t step_high, std::int32_t zero_point, std::uint32_t residual) {
  RIFFLE_BRAM(source)
  RIFFLE_BRAM(target)
  RIFFLE_REGISTER(maps)
  RIFFLE_REGISTER(weights)
  RIFFLE_REGISTER(scales)
  RIFFLE_REGISTER(result)
  RIFFLE_REGISTER(words)
  RIFFLE_REGISTER(groups)
  RIFFLE_REGISTER(inputs)
  RIFFLE_REGISTER(outputs)
  RIFFLE_REGISTER(modulus)
  RIFFLE_REGISTER(step_low)
  RIFFLE_REGISTER(step_high)
  RIFFLE_REGISTER(zero_point)
  RIFFLE_REGISTER(residual)
  RIFFLE_REGISTER(return)
  const riffle::Pointwise layer = {maps,   weights, scales,  result,  words,
                                   groups, inputs,  outputs, {modulus, step_low, step_high},
                                   zero_point, residual != 0};
  constexpr unsigned kMaxInputs = 2048;  // input channels of a group: one block RAM
  if (!riffle::possible<kMaxInputs>(layer)) return 1;
  riffle::grouped_pointwise<kMaxInputs>(source, target, layer);
  return 0;
}
