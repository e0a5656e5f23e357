// SPDX-License-Identifier: Apache-2.0
// Counter-based random numbers: Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as
// 1, 2, 3", SC 2011). A draw is a pure function of (seed, purpose, counter), so any process makes
// the same one. Plain values.
#ifndef CONADV_COMMON_BASE_RANDOM_H_
#define CONADV_COMMON_BASE_RANDOM_H_

#include <array>
#include <cstdint>

#include "common/base/ids.h"

namespace conadv {

// Ten rounds of Philox4x32. Shape: 128-bit counter, 64-bit key → 128 bits.
std::array<uint32_t, 4> Philox(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key);

// What numbers are for: streams of different purposes never meet.
enum class Purpose : uint32_t {
  kInitialWeights = 1,
  kPermutation = 2,
  kAttackStart = 3,
  kAttackTarget = 4,
  kAugmentation = 5,
  kModel = 6,  // what a model's own layers draw, as dropout does
  kGradientRounding = 7,
  kMeasuredSlot = 8,  // whose attack's gradient is compared with fresh weights'
  kEvaluation = 16,
};

// The stream of (seed, purpose, a, b): 2^32 blocks of four numbers each, drawn in order.
class Random {
 public:
  Random(uint64_t seed, Purpose purpose, uint64_t a = 0, uint32_t b = 0);

  uint32_t Next32();
  uint64_t Next64();
  // Uniform in [0, 1), 24 bits.
  float NextFloat();
  // Uniform in [0, n), without bias. REQUIRES: n > 0.
  uint64_t Below(uint64_t n);
  // Standard normal (Box–Muller).
  float NextGaussian();

 private:
  std::array<uint32_t, 2> key_;
  std::array<uint32_t, 4> counter_;
  std::array<uint32_t, 4> block_{};
  int used_ = 4;
};

// From the operating system; for incarnations only, never for anything that the seed decides.
Incarnation RandomIncarnation();

}  // namespace conadv

#endif  // CONADV_COMMON_BASE_RANDOM_H_
