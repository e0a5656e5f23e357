// SPDX-License-Identifier: Apache-2.0
// How old the attacks' weights are to be, step by step: the job's τ, and what was set while the run
// went on. A plain value, the same wherever it is.
#ifndef CONADV_COMMON_PROTOCOL_TAU_SCHEDULE_H_
#define CONADV_COMMON_PROTOCOL_TAU_SCHEDULE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/base/ids.h"
#include "common/job/job.h"

namespace conadv {

// From this step on.
struct TauChange {
  Step step;
  uint32_t tau = 0;

  friend bool operator==(const TauChange& a, const TauChange& b) {
    return a.step == b.step && a.tau == b.tau;
  }
};

// By rising step. More than a person makes, and little to send.
using TauChanges = std::vector<TauChange>;
inline constexpr size_t kMostTauChanges = 64;
inline constexpr uint32_t kMostTau = 63;  // as job.proto says

// INVALID_ARGUMENT: not by rising step, too many, or a τ that no job may have.
absl::Status CheckTauChanges(const TauChanges& changes);

// Of the step `at`; `job` is the job's.
uint32_t TauAt(uint32_t job, const TauChanges& changes, Step at);
// The largest from the step `from` on.
uint32_t LargestTau(uint32_t job, const TauChanges& changes, Step from);
// One more change: what was to come after it does not.
TauChanges WithTau(TauChanges changes, const TauChange& change);

// The largest τ that servers and workers of this job have room for, and its checkpoints older
// versions: server.retain says so. The job's own where there is nothing to choose.
uint32_t MostTau(const Job& job);
// The oldest weights that a unit may come to need, in versions behind those of its update.
uint32_t MostVersionsBack(const Job& job);

}  // namespace conadv

#endif  // CONADV_COMMON_PROTOCOL_TAU_SCHEDULE_H_
