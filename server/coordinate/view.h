// SPDX-License-Identifier: Apache-2.0
// A run as its coordinator sees it at one moment. Plain values.
#ifndef CONADV_SERVER_COORDINATE_VIEW_H_
#define CONADV_SERVER_COORDINATE_VIEW_H_

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "common/base/ids.h"
#include "server/coordinate/membership.h"

namespace conadv {

// In order; only from kInitializing may a run go back, to kWaitingForWorkers.
enum class Phase {
  kWaitingForShards,
  kRestoring,
  kWaitingForWorkers,
  kInitializing,  // a worker offers the first weights
  kTraining,
  kWritingLastCheckpoint,
  kEvaluating,  // the last version
  kFinished,    // members are sent home
};

// Units of the lineage, each time that it happened.
struct UnitCounts {
  uint64_t leased = 0;       // to a worker
  uint64_t steps_ahead = 0;  // of the oldest unfinished step, summed over leases
  uint64_t done = 0;         // each once
  uint64_t duplicates = 0;   // done again
  uint64_t failed = 0;       // a worker said that it cannot
  uint64_t taken_back = 0;   // from a worker that is gone or straggles
};

struct CoordinatorView {
  Phase phase = Phase::kWaitingForShards;
  Step step;                          // the oldest unfinished
  uint64_t steps = 0;                 // 0 before the plan
  TauChanges tau;                     // what was set while it ran
  std::string message;                // what is waited for, or what went wrong
  std::string warning;                // what goes wrong while training goes on
  std::optional<Version> checkpoint;  // the newest that every shard has
  absl::Duration training_time;
  UnitCounts units;
  std::vector<std::pair<Member, std::vector<Unit>>> members;  // with their leases
  std::optional<EvaluationResult> evaluation;                 // the last one
};

}  // namespace conadv

#endif  // CONADV_SERVER_COORDINATE_VIEW_H_
