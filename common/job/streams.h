// SPDX-License-Identifier: Apache-2.0
// The streams of a run: the gradients that each unit of work contributes, one of each. Whatever is
// kept by stream is an array in the order of this list. Plain values and pure functions.
#ifndef CONADV_COMMON_JOB_STREAMS_H_
#define CONADV_COMMON_JOB_STREAMS_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "common/base/ids.h"
#include "common/job/job.h"
#include "common/tensor/layout.h"

namespace conadv {

// What the images of a stream's pass are.
enum class StreamKind {
  kClean,        // as every pass sees them
  kAugmented,    // by all of dataset.augmentation, where the clean ones are not
  kAttack,       // those that an attack begins with: the pass makes the adversarial ones as well
  kAdversarial,  // adversarial examples
};
// As the wire and people have it.
absl::string_view StreamName(StreamKind kind);

struct GradientStream {
  std::string name;
  float weight = 1;               // multiplies the stream's mean gradient in the update
  Branch branch = Branch::kMain;  // whose BatchNorm its pass goes through; not kShared
  StreamKind kind = StreamKind::kClean;
  // The same of tensors of the branch's own; nothing: as of the others.
  std::optional<float> own_weight = std::nullopt;

  bool attacked() const { return kind == StreamKind::kAdversarial; }
};
using GradientStreams = std::vector<GradientStream>;

// Room of arrays by stream.
inline constexpr size_t kMostStreams = 4;

// Those of the job, with its weights, in the order clean, augmented, attack, adversarial; at least
// one.
GradientStreams StreamsOf(const TrainingOptions& training);

// The place of the stream of a kind in the list; nothing: there is none.
std::optional<size_t> IndexOf(const GradientStreams& streams, StreamKind kind);

// Branches with a BatchNorm of their own, besides MAIN; none without mixture BatchNorm.
std::vector<Branch> TwinBranches(const TrainingOptions& training);

// Forward and backward passes over each example of a step, the attack's among them: what the
// algorithm costs where VANILLA costs 1.
double PassesOf(const TrainingOptions& training, const AttackOptions& attack);

// The part of a shard's arena that the stream's contributions cover.
inline Range RangeOf(const Layout& layout, uint32_t shard, const GradientStream& stream) {
  return layout.branch_range(shard, stream.branch);
}

}  // namespace conadv

#endif  // CONADV_COMMON_JOB_STREAMS_H_
