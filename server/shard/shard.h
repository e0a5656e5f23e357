// SPDX-License-Identifier: Apache-2.0
// One shard: contributions → aggregate → optimize → publish → checkpoint. Knows neither gRPC nor
// other shards. RPC threads hand contributions over; additions and updates run on the pool, updates
// one at a time and in version order. Thread-safe. The pool, the clock and the observer are the
// caller's and outlive it.
#ifndef CONADV_SERVER_SHARD_SHARD_H_
#define CONADV_SERVER_SHARD_SHARD_H_

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "common/base/clock.h"
#include "common/base/unit_ledger.h"
#include "common/job/job.h"
#include "common/job/streams.h"
#include "common/plan/plan.h"
#include "common/tensor/arena.h"
#include "common/tensor/layout.h"
#include "common/thread/mutex.h"
#include "common/thread/thread_pool.h"
#include "server/aggregate/aggregator.h"
#include "server/checkpoint/checkpoint.h"
#include "server/clip/norm_exchange.h"
#include "server/optimize/optimizer.h"
#include "server/shard/apply.h"
#include "server/shard/shard_run.h"
#include "server/shard/staleness_book.h"
#include "server/snapshot/store.h"

namespace conadv {

// A version that was just published, while nothing else moves.
struct Publication {
  const ShardRun& run;
  const Snapshot& weights;
  const AppliedUpdate* update;  // that made it; nullptr: initial or restored weights
  Optimizer& optimizer;         // at rest
  const UnitLedger& applied;    // the units that the version is made of
  const SnapshotStore& store;
};

// Called on pool threads, in version order.
class ShardObserver {
 public:
  virtual ~ShardObserver() = default;
  virtual void OnPublished(const Publication& publication) = 0;
  // On the leader where the gradient is clipped over all shards: this unit's update will make this
  // version. The followers have to hear it before it can be applied.
  virtual void OnDecided(Version /*version*/, const Unit& /*unit*/) {}
};

// Where a shard's versions lie. The allocator outlives them.
struct VersionMemory {
  ArenaAllocator* allocator = &ArenaAllocator::Heap();
  bool mapped = false;  // processes of this machine may have some mapped: see MappedVersionsOf
};

class Shard {
 public:
  using Run = ShardRun;

  Shard(const Job& job, uint32_t shard, uint32_t shards, const Clock* clock, ThreadPool* pool,
        ShardObserver* observer, const ReaderOptions& readers = {},
        const VersionMemory& memory = {});
  // With these streams instead of the job's.
  Shard(const Job& job, GradientStreams streams, uint32_t shard, uint32_t shards,
        const Clock* clock, ThreadPool* pool, ShardObserver* observer,
        const ReaderOptions& readers = {}, const VersionMemory& memory = {});
  ~Shard();

  // Where there are several shards and the job clips by the norm of all, before anything else.
  // `norms` outlives the shard's tasks.
  void SetNorms(NormExchange* norms) { norms_ = norms; }

  // Initial weights, in two halves around their arrival. The first makes the layout and answers
  // with a buffer for the shard's arena; INVALID_ARGUMENT if the plan is not the run's. The second
  // checks the weights, publishes version 0 and answers through `done`, all on the pool. ABORTED:
  // weights of another plan were asked for meanwhile.
  struct InitialWeights {
    std::shared_ptr<const Run> run;
    std::shared_ptr<Arena> arena;  // nullptr: a duplicate
  };
  absl::StatusOr<InitialWeights> BeginInitialWeights(const Plan& plan);
  using PushAnswer = std::function<void(absl::StatusOr<PushOutcome>)>;
  void FinishInitialWeights(InitialWeights weights, PushAnswer done);

  // Instead of initial weights: goes on from a checkpoint of this shard. The shard must be new.
  // FAILED_PRECONDITION: it is of another layout.
  absl::Status Restore(const RestoredCheckpoint& checkpoint, const Plan& plan);

  // Which weights these are: the coordinator picks a lineage anew whenever the run goes back to a
  // checkpoint. Calls that name another one are answered ABORTED, or UNAVAILABLE before there is
  // one; 0 names none.
  void SetLineage(Lineage lineage) { lineage_ = lineage.value(); }
  Lineage lineage() const { return Lineage(lineage_); }
  absl::Status CheckLineage(Lineage named) const;

  // A contribution, in two halves around its arrival. The first answers with the range of the arena
  // that it covers and a buffer for it (buffer[0] is the range's begin), or without a buffer if it
  // is a duplicate. RESOURCE_EXHAUSTED, with a retry delay: there is no room now, see
  // ContributionRoom.
  struct Admission {
    Range range;
    std::shared_ptr<Arena> buffer;  // nullptr: duplicate
    size_t checked = 0;             // elements of the range that have been looked at
  };
  absl::StatusOr<Admission> BeginPush(const Contribution& contribution, uint64_t layout_hash);
  // A part of the range is there, for the first time: looks at it while the cache has it, unless it
  // begins or ends within a block of kTensorAlignment elements. What is not looked at so,
  // FinishPush looks at. INVALID_ARGUMENT: a value is no number; the push ends with that.
  absl::Status CheckArrived(const Contribution& contribution, const Range& part,
                            Admission* admission);
  // Checks, claims, answers through `done`, then adds and maybe updates: all on the pool.
  void FinishPush(Contribution contribution, Admission admission, PushAnswer done);

  // Calls `visit` on the pool while nothing moves, if the newest version is `version` then and no
  // update is under way. It is not a new version: no observer hears of it.
  void VisitAtRest(Version version, std::function<void(const Publication&)> visit);

  // The leader's order (followers, SSP and ASYNC). FAILED_PRECONDITION before the initial weights.
  absl::Status Follow(const Unit& unit);
  bool follows() const { return shard_ != 0 && !job_.training.sync(); }

  // nullptr before the initial weights' plan.
  std::shared_ptr<const Run> run() const;
  SnapshotStore& snapshots() { return snapshots_; }
  const StalenessBook& staleness() const { return staleness_; }
  const Job& job() const { return job_; }
  const GradientStreams& streams() const { return streams_; }
  uint32_t shard() const { return shard_; }
  uint32_t shards() const { return shards_; }

  // A number of the addition or update that is under way for the longest; 0: none is.
  uint64_t oldest_task() const { return pool_->oldest_task(); }
  // Whether a push was refused within this time for lack of room, and there is none now.
  bool refuses(absl::Duration within) const;
  // Bytes in arenas and optimizer state, without the copy that a checkpoint makes of the latter,
  // and the most they may take with it: see MemoryLimitOf.
  struct Memory {
    uint64_t now_bytes = 0;
    uint64_t limit_bytes = 0;
    uint64_t connections_quota = 0;  // of it, see ConnectionsQuota
    uint64_t sent_ahead_bytes = 0;   // of that, see SentAheadBytes
  };
  Memory memory() const;

 private:
  struct State;  // what comes into being with the plan

  absl::StatusOr<std::shared_ptr<State>> StateFor(const Plan& plan);
  std::shared_ptr<State> state() const;
  absl::StatusOr<PushOutcome> PublishInitialWeights(const InitialWeights& weights);
  absl::StatusOr<PushOutcome> CheckAndClaim(State& state, const Contribution& contribution,
                                            Admission* admission);
  void ApplyReady(const std::shared_ptr<State>& state);
  void Measure(const std::shared_ptr<State>& state, NextUpdate next);
  void Apply(State& state, NextUpdate next);
  void Announce(State& state, const Snapshot& snapshot, const AppliedUpdate* update);

  const Job job_;
  const GradientStreams streams_;
  const uint32_t shard_;
  const uint32_t shards_;
  const Clock* const clock_;
  ThreadPool* const pool_;
  ShardObserver* const observer_;
  const VersionMemory version_memory_;
  std::atomic<NormExchange*> norms_{nullptr};
  SnapshotStore snapshots_;
  StalenessBook staleness_;
  std::atomic<uint64_t> lineage_{0};
  mutable Mutex mutex_;
  std::shared_ptr<State> state_ ABSL_GUARDED_BY(mutex_);
  bool settled_ ABSL_GUARDED_BY(mutex_) = false;  // has weights, or will: the state stays
};

}  // namespace conadv

#endif  // CONADV_SERVER_SHARD_SHARD_H_
