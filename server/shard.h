// SPDX-License-Identifier: Apache-2.0
// One shard: contributions → aggregate → optimize → publish → checkpoint. Knows neither gRPC nor
// other shards. RPC threads hand contributions over; additions and updates run on the pool, updates
// one at a time and in version order. Thread-safe. The pool, the clock and the observer are the
// caller's and outlive it.
#ifndef CONADV_SERVER_SHARD_H_
#define CONADV_SERVER_SHARD_H_

#include <functional>
#include <memory>
#include <optional>

#include "absl/status/statusor.h"
#include "common/base/clock.h"
#include "common/base/mutex.h"
#include "common/base/thread_pool.h"
#include "common/job/job.h"
#include "common/job/plan.h"
#include "common/tensor/arena.h"
#include "common/tensor/layout.h"
#include "server/aggregate/aggregator.h"
#include "server/apply.h"
#include "server/optimize/optimizer.h"
#include "server/sequencer.h"
#include "server/snapshot/store.h"
#include "server/staleness_book.h"

namespace conadv {

// Called on pool threads, in version order. `weights` is the version that was published;
// `optimizer` is at rest.
class ShardObserver {
 public:
  virtual ~ShardObserver() = default;
  virtual void OnInitialized(const Snapshot& weights, Optimizer& optimizer) = 0;
  virtual void OnApplied(const AppliedUpdate& update, const Snapshot& weights,
                         Optimizer& optimizer) = 0;
};

class Shard {
 public:
  // Everything that is fixed once the model is known.
  struct Run {
    Plan plan;
    Layout layout;
    Version last;                     // the run's final version
    size_t contribution_size = 0;     // elements of the longer stream
    uint64_t most_contributions = 0;  // arenas of contributions that may exist at a time
    uint64_t most_openings = 0;       // of those, for units of which nothing is here yet
  };

  Shard(const Job& job, uint32_t shard, uint32_t shards, const Clock* clock, ThreadPool* pool,
        ShardObserver* observer);
  ~Shard();

  // Initial weights, in two halves around their arrival. The first makes the layout and answers
  // with a buffer for the shard's arena; INVALID_ARGUMENT if the plan is not the run's. The second
  // checks the weights and publishes version 0.
  struct InitialWeights {
    std::shared_ptr<const Run> run;
    std::shared_ptr<Arena> arena;  // nullptr: a duplicate
  };
  absl::StatusOr<InitialWeights> BeginInitialWeights(const Plan& plan);
  absl::StatusOr<PushOutcome> FinishInitialWeights(const InitialWeights& weights);

  // A contribution, in two halves around its arrival. The first answers with the range of the arena
  // that it covers and a buffer for it (buffer[0] is the range's begin), or without a buffer if it
  // is a duplicate. RESOURCE_EXHAUSTED: there are `most_contributions` already.
  struct Admission {
    Range range;
    std::shared_ptr<Arena> buffer;  // nullptr: duplicate
  };
  absl::StatusOr<Admission> BeginPush(const Contribution& contribution, uint64_t layout_hash);
  // Checks, claims, answers through `done`, then adds and maybe updates: all on the pool.
  void FinishPush(Contribution contribution, Admission admission,
                  std::function<void(absl::StatusOr<PushOutcome>)> done);

  // The leader's order (followers, SSP and ASYNC). FAILED_PRECONDITION before the initial weights.
  absl::Status Follow(const Unit& unit);
  bool follows() const { return shard_ != 0 && !job_.training.sync(); }

  // nullptr before the initial weights' plan.
  std::shared_ptr<const Run> run() const;
  SnapshotStore& snapshots() { return snapshots_; }
  const StalenessBook& staleness() const { return staleness_; }
  const Job& job() const { return job_; }
  uint32_t shard() const { return shard_; }
  uint32_t shards() const { return shards_; }

  // Bytes in arenas and optimizer state, and the most they may take: (retain + 2) · arena + state +
  // contributions.
  struct Memory {
    uint64_t now_bytes = 0;
    uint64_t limit_bytes = 0;
  };
  Memory memory() const;

 private:
  struct State;  // what comes into being with the plan

  absl::StatusOr<std::shared_ptr<State>> StateFor(const Plan& plan);
  std::shared_ptr<State> state() const;
  absl::Status CheckRoom(State& state, const Contribution& contribution);
  absl::StatusOr<PushOutcome> CheckAndClaim(State& state, const Contribution& contribution,
                                            const Admission& admission);
  void ApplyReady(const std::shared_ptr<State>& state);
  void Apply(State& state, ClosedGroup group);

  const Job job_;
  const uint32_t shard_;
  const uint32_t shards_;
  const Clock* const clock_;
  ThreadPool* const pool_;
  ShardObserver* const observer_;
  SnapshotStore snapshots_;
  StalenessBook staleness_;
  mutable Mutex mutex_;
  std::shared_ptr<State> state_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace conadv

#endif  // CONADV_SERVER_SHARD_H_
