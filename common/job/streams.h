// SPDX-License-Identifier: Apache-2.0
// The streams of a run: the gradients that each unit of work contributes, one of each. Whatever is
// kept by stream is an array in the order of this list. Plain values and pure functions.
#ifndef CONADV_COMMON_JOB_STREAMS_H_
#define CONADV_COMMON_JOB_STREAMS_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "common/base/ids.h"
#include "common/job/job.h"
#include "common/tensor/layout.h"

namespace conadv {

struct GradientStream {
  std::string name;
  float weight = 1;               // multiplies the stream's mean gradient in the update
  Branch branch = Branch::kMain;  // whose BatchNorm its pass goes through; not kShared
  bool attacked = false;          // its images are adversarial examples
};
using GradientStreams = std::vector<GradientStream>;

// Room of arrays by stream.
inline constexpr size_t kMostStreams = 4;

// Those that a job has today: the wire numbers them so. Every run has the first.
inline constexpr StreamIndex kCleanStream(0);
inline constexpr StreamIndex kAdversarialStream(1);

// Clean and, if the algorithm attacks, adversarial; with the job's weights.
GradientStreams StreamsOf(const TrainingOptions& training);

// The part of a shard's arena that the stream's contributions cover.
inline Range RangeOf(const Layout& layout, uint32_t shard, const GradientStream& stream) {
  return layout.branch_range(shard, stream.branch);
}

}  // namespace conadv

#endif  // CONADV_COMMON_JOB_STREAMS_H_
