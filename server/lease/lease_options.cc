// SPDX-License-Identifier: Apache-2.0
#include "server/lease/lease_options.h"

#include <algorithm>
#include <limits>

namespace conadv {
LeaseOptions LeaseOptionsOf(const Job& job, uint32_t shards, uint64_t steps) {
  const TrainingOptions& training = job.training;
  LeaseOptions options;
  options.steps = steps;
  options.slots = training.slots;
  switch (training.consistency) {
    case Consistency::kSync: options.window = training.tau + 1; break;
    case Consistency::kSsp: options.window = training.staleness_bound; break;
    case Consistency::kAsync: options.window = std::numeric_limits<uint64_t>::max(); break;
  }
  // Shard 0 may have applied what lies as far before the awaited unit as after it.
  if (!training.sync() && shards > 1) {
    options.window_units = (std::max(job.server.retain, 2U) - 2) / 2;
  }
  return options;
}

}  // namespace conadv
