// SPDX-License-Identifier: Apache-2.0
// An update as one would write it for one optimizer and nothing else: what the general ones are
// measured against. No norms for people to look at, no padding, no branches.
#ifndef CONADV_TESTS_BENCH_UPDATE_BY_HAND_H_
#define CONADV_TESTS_BENCH_UPDATE_BY_HAND_H_

#include <cstddef>

namespace conadv::bench {

// All arrays have `size` elements. g = clean + adversarial.
struct ByHand {
  const float* theta = nullptr;
  const float* clean = nullptr;
  const float* adversarial = nullptr;
  float* momentum = nullptr;
  float* next = nullptr;
  size_t size = 0;
  float rate = 0, mu = 0, decay = 0, trust = 0;
};

// m ← μ·m + g + λ·θ; θ' = θ − rate·m.
void SgdByHand(const ByHand& tensor);
// The same with LARS's ratio, ‖θ‖ and ‖g‖ in a pass before.
void LarsByHand(const ByHand& tensor);

}  // namespace conadv::bench

#endif  // CONADV_TESTS_BENCH_UPDATE_BY_HAND_H_
