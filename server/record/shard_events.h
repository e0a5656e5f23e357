// SPDX-License-Identifier: Apache-2.0
// What happens when a shard publishes: watchers are told, the coordinator looks for due
// evaluations, a checkpoint may be due. Thread-safe.
#ifndef CONADV_SERVER_RECORD_SHARD_EVENTS_H_
#define CONADV_SERVER_RECORD_SHARD_EVENTS_H_

#include <deque>
#include <optional>
#include <string>

#include "common/base/clock.h"
#include "common/job/job.h"
#include "common/stats/histogram.h"
#include "common/thread/mutex.h"
#include "server/agent/checkpointer.h"
#include "server/coordinate/coordinator.h"
#include "server/record/divergence.h"
#include "server/record/version_log.h"
#include "server/shard/shard.h"

namespace conadv {

class ShardEvents final : public ShardObserver {
 public:
  // `coordinator` is nullptr on shards other than 0. All outlive this.
  ShardEvents(const Job& job, Coordinator* coordinator, Checkpointer* checkpointer,
              const Clock* clock)
      : job_(job), coordinator_(coordinator), checkpointer_(checkpointer), clock_(clock) {}

  void OnPublished(const Publication& publication) override;
  void OnDecided(Version version, const Unit& unit) override;

  VersionLog& versions() { return versions_; }
  // Of updates that are still to be applied, from the version on that this shard began with; see
  // ShardObserver::OnDecided.
  VersionLog& decided() { return decided_; }
  MetricsLog& metrics() { return metrics_; }

  struct Progress {
    Version first;      // what this shard began with
    absl::Time began;   // when; the clock's
    absl::Time newest;  // when the newest version was published; likewise
    std::optional<StepMetrics> last;
    double examples_per_second = 0;  // over the newest updates
    std::string warning;             // about the loss
  };
  Progress progress() const;
  // Between one update and the next, or the begin.
  Histogram update_micros() const;
  // What records of what was published take, and the most that they and those of workers may.
  uint64_t record_bytes() const;
  static uint64_t record_limit_bytes();

 private:
  // Enough for a watcher that was away for a while.
  static constexpr size_t kRecords = 1 << 16;
  // No update is decided before every follower is at the one before.
  static constexpr size_t kDecided = 16;

  void Begin(const Publication& publication);
  void Record(const AppliedUpdate& update);

  const Job job_;
  Coordinator* const coordinator_;
  Checkpointer* const checkpointer_;
  const Clock* const clock_;
  VersionLog versions_{kRecords};
  VersionLog decided_{kDecided};
  MetricsLog metrics_{kRecords};
  mutable Mutex mutex_;
  Version first_ ABSL_GUARDED_BY(mutex_);
  absl::Time began_ ABSL_GUARDED_BY(mutex_);
  std::optional<StepMetrics> last_ ABSL_GUARDED_BY(mutex_);
  Histogram update_micros_ ABSL_GUARDED_BY(mutex_);
  Divergence divergence_ ABSL_GUARDED_BY(mutex_);
  // When the newest updates were published: not the calendar's times, which may jump.
  std::deque<absl::Time> published_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace conadv

#endif  // CONADV_SERVER_RECORD_SHARD_EVENTS_H_
