// SPDX-License-Identifier: Apache-2.0
// Whether a server can be used, and whether it is alive: what probes ask. Pure but for what was
// seen before.
#ifndef CONADV_SERVER_OBSERVE_READINESS_H_
#define CONADV_SERVER_OBSERVE_READINESS_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/time/time.h"
#include "common/base/ids.h"
#include "server/rpc/inspect/views.h"

namespace conadv {

struct Readiness {
  bool ready = false;
  std::string reason;  // one line, either way
};

// What a shard says of itself.
struct ReadinessState {
  Lineage lineage;                // 0: it has not begun with any
  std::optional<Version> newest;  // that it serves
  std::string waits_for;          // what the run waits for, on shard 0
  std::string failure;            // of the run; empty: none
};
// Ready: it has what this lineage of the run began with, and so all that was made of it. The newest
// version of a lineage is where it is made.
Readiness ReadinessOf(const ReadinessState& state);
Readiness ReadinessOf(const ServerParts& parts);

// How long the oldest task of a pool has been under way. Not thread-safe.
class TaskWatch {
 public:
  // `task`: ThreadPool::oldest_task(). It is seen now and then; between two looks at one and the
  // same task, it was under way.
  absl::Duration See(uint64_t task, absl::Time now) {
    if (task == 0 || task != task_) since_ = now;
    task_ = task;
    return now - since_;
  }

 private:
  uint64_t task_ = 0;
  absl::Time since_;
};

// A task of a shard that takes longer is stuck: the coordinator has dropped the shard before that.
absl::Duration LongestTask(const Job& job);

}  // namespace conadv

#endif  // CONADV_SERVER_OBSERVE_READINESS_H_
