// SPDX-License-Identifier: Apache-2.0
// What happens when a shard publishes: watchers are told, the coordinator looks for due
// evaluations, a checkpoint may be due. Thread-safe.
#ifndef CONADV_SERVER_RPC_SHARD_EVENTS_H_
#define CONADV_SERVER_RPC_SHARD_EVENTS_H_

#include <deque>
#include <optional>

#include "common/base/mutex.h"
#include "common/job/job.h"
#include "server/checkpointer.h"
#include "server/coordinate/coordinator.h"
#include "server/rpc/version_log.h"
#include "server/shard.h"

namespace conadv {

class ShardEvents final : public ShardObserver {
 public:
  // `coordinator` is nullptr on shards other than 0. All outlive this.
  ShardEvents(const Job& job, Coordinator* coordinator, Checkpointer* checkpointer)
      : job_(job), coordinator_(coordinator), checkpointer_(checkpointer) {}

  void OnPublished(const Publication& publication) override;

  VersionLog& versions() { return versions_; }
  MetricsLog& metrics() { return metrics_; }

  struct Progress {
    Version first;  // what this shard began with
    std::optional<StepMetrics> last;
    double examples_per_second = 0;  // over the newest updates
  };
  Progress progress() const;

 private:
  void Begin(const Snapshot& weights);
  void Record(const AppliedUpdate& update);

  const Job job_;
  Coordinator* const coordinator_;
  Checkpointer* const checkpointer_;
  VersionLog versions_{1 << 16};
  MetricsLog metrics_{1 << 16};
  mutable Mutex mutex_;
  Version first_ ABSL_GUARDED_BY(mutex_);
  absl::Time began_ ABSL_GUARDED_BY(mutex_);
  std::optional<StepMetrics> last_ ABSL_GUARDED_BY(mutex_);
  std::deque<absl::Time> published_ ABSL_GUARDED_BY(mutex_);  // of the newest updates
};

}  // namespace conadv

#endif  // CONADV_SERVER_RPC_SHARD_EVENTS_H_
