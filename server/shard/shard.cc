// SPDX-License-Identifier: Apache-2.0
#include "server/shard/shard.h"

#include <glog/logging.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/retry_delay.h"
#include "common/base/status_macros.h"
#include "common/tensor/crc32c.h"
#include "server/shard/memory.h"
#include "server/shard/received_values.h"
#include "server/shard/restored_state.h"

namespace conadv {
namespace {

AggregatorOptions AggregatorOptionsOf(const Job& job, const ShardRun& run) {
  return {job.training.sync(), job.training.slots, run.plan.steps, run.streams};
}

}  // namespace

struct Shard::State {
  // `applied_in`: the units that the weights to come are made of.
  State(const Job& job, uint32_t shard_in, std::shared_ptr<const Run> run_in, Version version,
        UnitLedger applied_in)
      : shard(shard_in),
        sync(job.training.sync()),
        run(std::move(run_in)),
        applied(std::move(applied_in)),
        // What a checkpoint holds for a while comes back, and is wanted again for the next.
        arenas(run->layout.arena_size(shard),
               2 + job.training.tau + 1 + (job.optimizer.average.has_value() ? 2 : 0)),
        contributions(run->contribution_size, run->room.all),
        aggregator(AggregatorOptionsOf(job, *run), applied),
        optimizer(MakeOptimizer(job.optimizer, run->layout, shard, version.value())),
        sequencer(shard == 0 || job.training.sync()) {}

  // Whether the contribution may be received now; see Refused.
  absl::Status CheckRoom(const Contribution& contribution) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex);
  // Whether one of the unit's other streams is here.
  bool HasOtherStreamOf(const Contribution& contribution) const;
  // RESOURCE_EXHAUSTED, with the time to stay away.
  absl::Status Refused(const std::string& why, absl::Duration delay) const;

  const uint32_t shard;
  const bool sync;
  const std::shared_ptr<const Run> run;
  UnitLedger applied;  // with the optimizer
  ArenaPool arenas;
  ArenaPool contributions;
  Aggregator aggregator;
  // Guards whose turn it is, not the work: whoever sets `applying` owns the optimizer and the
  // ledger until it clears it.
  Mutex mutex;
  const std::unique_ptr<Optimizer> optimizer;
  Sequencer sequencer ABSL_GUARDED_BY(mutex);
  RetryDelays retry_delays ABSL_GUARDED_BY(mutex);
  bool applying ABSL_GUARDED_BY(mutex) = false;
  bool initialized ABSL_GUARDED_BY(mutex) = false;
};

Shard::Shard(const Job& job, uint32_t shard, uint32_t shards, const Clock* clock, ThreadPool* pool,
             ShardObserver* observer, const ReaderOptions& readers)
    : Shard(job, StreamsOf(job.training), shard, shards, clock, pool, observer, readers) {}

Shard::Shard(const Job& job, GradientStreams streams, uint32_t shard, uint32_t shards,
             const Clock* clock, ThreadPool* pool, ShardObserver* observer,
             const ReaderOptions& readers)
    : job_(job),
      streams_(std::move(streams)),
      shard_(shard),
      shards_(shards),
      clock_(clock),
      pool_(pool),
      observer_(observer),
      snapshots_(job.server.retain, clock, readers),
      staleness_(job.server.retain, streams_) {}

Shard::~Shard() = default;

std::shared_ptr<Shard::State> Shard::state() const {
  MutexLock lock(&mutex_);
  return state_;
}

std::shared_ptr<const Shard::Run> Shard::run() const {
  const std::shared_ptr<State> current = state();
  return current == nullptr ? nullptr : current->run;
}

absl::StatusOr<std::shared_ptr<Shard::State>> Shard::StateFor(const Plan& plan) {
  MutexLock lock(&mutex_);
  if (state_ != nullptr) {
    const absl::Status same = CheckSamePlan(state_->run->plan, plan);
    // Until the weights are whole, whoever was asked to offer last decides.
    if (same.ok()) return state_;
    if (settled_) return same;
  }
  CONADV_ASSIGN_OR_RETURN(Run made, MakeShardRun(job_, streams_, shard_, shards_, plan));
  auto run = std::make_shared<const Run>(std::move(made));
  snapshots_.SetLast(run->last);
  state_ = std::make_shared<State>(job_, shard_, std::move(run), Version(0),
                                   UnitLedger(job_.training.updates_per_step(), Step(0)));
  return state_;
}

absl::Status Shard::Restore(const RestoredCheckpoint& checkpoint, const Plan& plan) {
  CONADV_ASSIGN_OR_RETURN(Run made, MakeShardRun(job_, streams_, shard_, shards_, plan));
  auto run = std::make_shared<const Run>(std::move(made));
  auto state =
      std::make_shared<State>(job_, shard_, run, checkpoint.id.version,
                              UnitLedger(job_.training.updates_per_step(),
                                         checkpoint.applied_prefix, checkpoint.applied_ahead));
  CONADV_ASSIGN_OR_RETURN(
      std::vector<Snapshot> versions,
      PlaceVersions(checkpoint, run->layout, shard_, job_.optimizer.average.has_value(),
                    clock_->WallNow(), &state->arenas));
  CONADV_RETURN_IF_ERROR(CopyOptimizerState(checkpoint, *state->optimizer));
  {
    MutexLock lock(&mutex_);
    if (state_ != nullptr) return absl::FailedPreconditionError("this shard has weights already");
    state_ = state;
    settled_ = true;
  }
  {
    MutexLock lock(&state->mutex);
    state->initialized = true;
    state->applying = true;
  }
  snapshots_.SetLast(run->last);
  const Snapshot newest = std::move(versions.back());
  versions.pop_back();
  for (Snapshot& older : versions) snapshots_.Publish(std::move(older));
  Announce(*state, newest, nullptr);
  // A group may have closed since the state was there for others to see.
  pool_->Submit([this, state] { ApplyReady(state); });
  return absl::OkStatus();
}

absl::Status Shard::CheckLineage(Lineage named) const {
  if (named.value() == 0 || named == lineage()) return absl::OkStatus();
  if (lineage().value() == 0) {
    return absl::UnavailableError(absl::StrCat("shard ", shard_, " has not joined the run yet"));
  }
  return absl::AbortedError(absl::StrCat(
      "shard ", shard_, ": the run has gone back to a checkpoint; join the coordinator again"));
}

absl::StatusOr<Shard::InitialWeights> Shard::BeginInitialWeights(const Plan& plan) {
  CONADV_ASSIGN_OR_RETURN(const std::shared_ptr<State> state, StateFor(plan));
  if (snapshots_.retained().has_value()) return InitialWeights{state->run, nullptr};
  MutexLock lock(&state->mutex);
  // One worker is asked for them; whoever offers them unasked may not fill the memory.
  if (state->arenas.in_use() > job_.server.retain) {
    return state->Refused(
        absl::StrCat("gets initial weights from ", state->arenas.in_use(), " workers at once"),
        state->retry_delays.Refuse());
  }
  return InitialWeights{state->run, state->arenas.Take()};
}

void Shard::FinishInitialWeights(InitialWeights weights, PushAnswer done) {
  pool_->Submit([this, weights = std::move(weights), done = std::move(done)] {
    done(PublishInitialWeights(weights));
  });
}

absl::StatusOr<PushOutcome> Shard::PublishInitialWeights(const InitialWeights& weights) {
  const Layout& layout = weights.run->layout;
  const Range whole{0, layout.arena_size(shard_)};
  ZeroPadding(layout, shard_, whole, weights.arena->data());
  CONADV_RETURN_IF_ERROR(CheckFinite(layout, shard_, whole, weights.arena->span()));
  std::shared_ptr<State> state;
  {
    MutexLock lock(&mutex_);
    if (state_->run != weights.run) {
      return absl::AbortedError("another worker offers initial weights with another plan");
    }
    if (std::exchange(settled_, true)) return PushOutcome::kDuplicate;
    state = state_;
  }
  {
    MutexLock lock(&state->mutex);
    state->initialized = true;
    state->applying = true;  // no update before the observer has seen version 0
  }
  Announce(*state,
           {Version(0), weights.arena, clock_->WallNow(), std::nullopt,
            job_.optimizer.average.has_value() ? weights.arena : nullptr},
           nullptr);
  pool_->Submit([this, state] { ApplyReady(state); });
  return PushOutcome::kAccepted;
}

// REQUIRES: `applying` is ours; it is not afterwards.
void Shard::Announce(State& state, const Snapshot& snapshot, const AppliedUpdate* update) {
  snapshots_.Publish(snapshot);
  observer_->OnPublished(
      {*state.run, snapshot, update, *state.optimizer, state.applied, snapshots_});
  MutexLock lock(&state.mutex);
  state.applying = false;
}

absl::StatusOr<Shard::Admission> Shard::BeginPush(const Contribution& contribution,
                                                  uint64_t layout_hash) {
  const std::shared_ptr<State> state = this->state();
  const std::optional<RetainedRange> retained = snapshots_.retained();
  if (state == nullptr || !retained.has_value()) {
    return absl::FailedPreconditionError("there are no initial weights yet");
  }
  const Run& run = *state->run;
  if (layout_hash != run.layout.hash()) {
    staleness_.AddRejected(contribution.worker);
    return absl::InvalidArgumentError(absl::StrCat("layout_hash: this run's is ", run.layout.hash(),
                                                   ", got ", layout_hash,
                                                   "; the model or the number of shards differs"));
  }
  const AggregatorOptions options = AggregatorOptionsOf(job_, run);
  if (absl::Status status = CheckContribution(contribution, options, retained->latest);
      !status.ok()) {
    // A step already applied is a duplicate whatever else is true of it; the check allows that.
    staleness_.AddRejected(contribution.worker);
    return status;
  }
  Admission admission{RangeOf(run.layout, shard_, run.streams[contribution.stream.value()]),
                      nullptr};
  if (state->aggregator.IsDuplicate(contribution.unit, contribution.stream)) {
    staleness_.AddOutcome(contribution.worker, PushOutcome::kDuplicate);
    return admission;
  }
  MutexLock lock(&state->mutex);
  CONADV_RETURN_IF_ERROR(state->CheckRoom(contribution));
  admission.buffer = state->contributions.Take();
  state->retry_delays.Admit(state->contributions.in_use(), run.room.openings);
  return admission;
}

absl::Status Shard::State::CheckRoom(const Contribution& contribution) {
  const uint64_t in_use = contributions.in_use();
  if (in_use < run->room.openings) return absl::OkStatus();
  // What frees memory, or is waited for by what does, has room of its own: refused, it would wait
  // for itself. In SYNC that is the first slot that a tree lacks: its values climb. Else a unit of
  // which one stream is here, and the unit that a follower has to apply next.
  const uint32_t ahead = sync ? aggregator.Ahead(contribution.unit, contribution.stream) : 0;
  const bool frees = sync ? ahead == 0 : HasOtherStreamOf(contribution);
  const bool awaited = sequencer.awaited() == contribution.unit;
  if (frees && in_use < run->room.freeing) return absl::OkStatus();
  if (awaited && in_use < run->room.all) return absl::OkStatus();
  return Refused(absl::StrCat("holds ", in_use, " contributions"),
                 sync ? retry_delays.RefuseBehind(ahead) : retry_delays.Refuse());
}

bool Shard::State::HasOtherStreamOf(const Contribution& contribution) const {
  for (size_t stream = 0; stream < run->streams.size(); ++stream) {
    const StreamIndex other(stream);
    if (other != contribution.stream && aggregator.IsDuplicate(contribution.unit, other)) {
      return true;
    }
  }
  return false;
}

absl::Status Shard::State::Refused(const std::string& why, absl::Duration delay) const {
  return WithRetryDelay(absl::ResourceExhaustedError(absl::StrCat(
                            "shard ", shard, " ", why, "; retry in ", absl::FormatDuration(delay))),
                        delay);
}

absl::StatusOr<PushOutcome> Shard::CheckAndClaim(State& state, const Contribution& contribution,
                                                 const Admission& admission) {
  float* values = admission.buffer->data();
  ZeroPadding(state.run->layout, shard_, admission.range, values);
  absl::Status status =
      CheckFinite(state.run->layout, shard_, admission.range, {values, admission.range.size()});
  // The gradient first: its tensor says more than a loss.
  if (status.ok()) status = CheckMeasures(contribution);
  if (!status.ok()) {
    staleness_.AddRejected(contribution.worker);
    return status;
  }
  // The pool's arenas are as long as the longest stream; sums run over whole arenas.
  std::fill(values + admission.range.size(), values + admission.buffer->size(), 0.0F);
  const PushOutcome outcome = state.aggregator.Claim(contribution);
  staleness_.AddOutcome(contribution.worker, outcome);
  return outcome;
}

void Shard::FinishPush(Contribution contribution, Admission admission, PushAnswer done) {
  pool_->Submit([this, state = state(), contribution = std::move(contribution),
                 admission = std::move(admission), done = std::move(done)]() mutable {
    const absl::StatusOr<PushOutcome> outcome = CheckAndClaim(*state, contribution, admission);
    done(outcome);
    if (!outcome.ok() || *outcome == PushOutcome::kDuplicate) return;
    {
      MutexLock lock(&state->mutex);
      state->retry_delays.Arrive(clock_->Now());
    }
    std::optional<ClosedGroup> group =
        state->aggregator.Reduce(contribution, std::move(admission.buffer));
    if (!group.has_value()) return;
    {
      MutexLock lock(&state->mutex);
      state->sequencer.Close(*std::move(group));
    }
    ApplyReady(state);
  });
}

absl::Status Shard::Follow(const Unit& unit) {
  const std::shared_ptr<State> state = this->state();
  if (state == nullptr) {
    return absl::FailedPreconditionError(
        absl::StrCat("shard ", shard_, " is told of updates but has no initial weights"));
  }
  {
    MutexLock lock(&state->mutex);
    state->sequencer.Append(unit);
  }
  pool_->Submit([this, state] { ApplyReady(state); });
  return absl::OkStatus();
}

void Shard::ApplyReady(const std::shared_ptr<State>& state) {
  while (true) {
    std::optional<ClosedGroup> group;
    {
      MutexLock lock(&state->mutex);
      if (state->applying) return;  // whoever applies looks again before it stops
      group = state->sequencer.TakeNext();
      if (!group.has_value()) return;
      state->applying = true;
    }
    Apply(*state, *std::move(group));
  }
}

void Shard::Apply(State& state, ClosedGroup group) {
  Snapshot current = *snapshots_.Latest();
  // Evicted weights are compensated from the oldest there are: a smaller correction, never a wrong
  // one.
  Snapshot used = snapshots_.FindOrOldest(OldestUpdateVersion(group));
  std::shared_ptr<Arena> next = state.arenas.Take();
  AppliedUpdate update = ApplyGroup(job_, streams_, state.run->plan.steps, group, current, used,
                                    *state.optimizer, next->data());
  std::shared_ptr<const Arena> average = NextAverage(job_.optimizer, current, *next, &state.arenas);
  update.published = clock_->WallNow();
  // Evicted, they are not held beyond what MemoryLimitOf counts.
  used = {};
  current.weights = nullptr;
  current.average = nullptr;
  // [I8] (docs/invariants.md): the aggregator closes a group once, so this cannot be.
  CHECK(state.applied.Add(group.unit)) << group.unit << " was applied already";
  staleness_.AddApplied(update.contributions, group.unit, current.version, update.published);
  Announce(state,
           {update.version, std::move(next), update.published, group.unit, std::move(average)},
           &update);
}

void Shard::VisitAtRest(Version version, std::function<void(const Publication&)> visit) {
  pool_->Submit([this, version, visit = std::move(visit)] {
    const std::shared_ptr<State> state = this->state();
    if (state == nullptr) return;
    {
      MutexLock lock(&state->mutex);
      if (!state->initialized || state->applying) return;
      state->applying = true;
    }
    const Snapshot latest = *snapshots_.Latest();
    if (latest.version == version) {
      visit({*state->run, latest, nullptr, *state->optimizer, state->applied, snapshots_});
    }
    {
      MutexLock lock(&state->mutex);
      state->applying = false;
    }
    ApplyReady(state);
  });
}

bool Shard::full() const {
  const std::shared_ptr<State> state = this->state();
  return state != nullptr && state->contributions.in_use() >= state->run->room.openings;
}

Shard::Memory Shard::memory() const {
  const std::shared_ptr<State> state = this->state();
  if (state == nullptr) return {};
  const uint64_t arena_bytes = state->run->layout.arena_size(shard_) * sizeof(float);
  const uint64_t optimizer_bytes = state->optimizer->state_bytes();
  return {state->arenas.bytes() + state->contributions.bytes() + optimizer_bytes,
          MemoryLimitOf(job_, *state->run, arena_bytes, optimizer_bytes).total()};
}

}  // namespace conadv
