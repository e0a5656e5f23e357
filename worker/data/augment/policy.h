// SPDX-License-Identifier: Apache-2.0
// Policies that change an image by operations drawn at random: AutoAugment (Cubuk et al., arXiv
// 1805.09501) and RandAugment (Cubuk et al., arXiv 1909.13719), as torchvision 0.14 has them. The
// same bits for the same Random. Thread-safe.
#ifndef CONADV_WORKER_DATA_AUGMENT_POLICY_H_
#define CONADV_WORKER_DATA_AUGMENT_POLICY_H_

#include <array>
#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "common/base/random.h"
#include "common/job/augmentation.h"
#include "worker/data/augment/operation.h"
#include "worker/data/augment/transform/planes.h"

namespace conadv::augment {

// One of a pair.
struct Choice {
  Operation operation = Operation::kIdentity;
  float probability = 0;
  int8_t bin = 0;  // of kAutoAugmentBins, of its magnitude
};
// Two operations, one after the other.
using Pair = std::array<Choice, 2>;

constexpr int kAutoAugmentBins = 10;

// The 25 pairs that were learnt on a data set.
absl::Span<const Pair> PairsOf(AutoAugmentPolicy policy);

// Applies one of a policy's pairs. Draws, whatever comes of it: the pair, a number for the
// probability of the first and of the second, a sign for the first and for the second.
void AutoAugment(AutoAugmentPolicy policy, Random* random, Planes image,
                 std::vector<uint8_t>* scratch);

// Applies `operations` of its fourteen, one after the other and with repetition, of one bin of
// their magnitudes. Draws for each: which, and its sign, whether it has one or not.
void RandAugment(const RandAugmentOptions& options, Random* random, Planes image,
                 std::vector<uint8_t>* scratch);

}  // namespace conadv::augment

#endif  // CONADV_WORKER_DATA_AUGMENT_POLICY_H_
