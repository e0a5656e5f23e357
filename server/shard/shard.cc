// SPDX-License-Identifier: Apache-2.0
#include "server/shard/shard.h"

#include <glog/logging.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "common/tensor/crc32c.h"
#include "common/wire/chunk.h"
#include "server/shard/memory.h"
#include "server/shard/received_values.h"
#include "server/shard/restored_state.h"
#include "server/shard/shard_state.h"

namespace conadv {

Shard::Shard(const Job& job, uint32_t shard, uint32_t shards, const Clock* clock, ThreadPool* pool,
             ShardObserver* observer, const ReaderOptions& readers, const VersionMemory& memory)
    : Shard(job, StreamsOf(job.training), shard, shards, clock, pool, observer, readers, memory) {}

Shard::Shard(const Job& job, GradientStreams streams, uint32_t shard, uint32_t shards,
             const Clock* clock, ThreadPool* pool, ShardObserver* observer,
             const ReaderOptions& readers, const VersionMemory& memory)
    : job_(job),
      streams_(std::move(streams)),
      shard_(shard),
      shards_(shards),
      clock_(clock),
      pool_(pool),
      observer_(observer),
      version_memory_(memory),
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
  CONADV_ASSIGN_OR_RETURN(
      Run made, MakeShardRun(job_, streams_, shard_, shards_, plan, version_memory_.mapped));
  auto run = std::make_shared<const Run>(std::move(made));
  snapshots_.SetLast(run->last);
  state_ = std::make_shared<State>(job_, shard_, std::move(run), Version(0),
                                   UnitLedger(job_.training.updates_per_step(), Step(0)), pool_,
                                   version_memory_.allocator);
  return state_;
}

absl::Status Shard::Restore(const RestoredCheckpoint& checkpoint, const Plan& plan) {
  CONADV_ASSIGN_OR_RETURN(
      Run made, MakeShardRun(job_, streams_, shard_, shards_, plan, version_memory_.mapped));
  auto run = std::make_shared<const Run>(std::move(made));
  auto state =
      std::make_shared<State>(job_, shard_, run, checkpoint.id.version,
                              UnitLedger(job_.training.updates_per_step(),
                                         checkpoint.applied_prefix, checkpoint.applied_ahead),
                              pool_, version_memory_.allocator);
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
                      nullptr, 0};
  if (state->aggregator.IsDuplicate(contribution.unit, contribution.stream)) {
    staleness_.AddOutcome(contribution.worker, PushOutcome::kDuplicate);
    return admission;
  }
  MutexLock lock(&state->mutex);
  if (absl::Status room = state->CheckRoom(contribution); !room.ok()) {
    state->refused = clock_->Now();
    return room;
  }
  admission.buffer = state->contributions.Take();
  state->retry_delays.Admit(state->contributions.in_use(), run.room.openings);
  return admission;
}

absl::Status Shard::CheckArrived(const Contribution& contribution, const Range& part,
                                 Admission* admission) {
  const size_t begin = part.begin - admission->range.begin;
  if (begin % kTensorAlignment != 0 || part.size() % kTensorAlignment != 0) return absl::OkStatus();
  admission->checked += part.size();
  const absl::Span<float> values = admission->buffer->span().subspan(begin, part.size());
  const std::shared_ptr<const Run> run = this->run();
  ZeroPadding(run->layout, shard_, part, values.data());
  absl::Status status = CheckFinite(run->layout, shard_, part, values);
  if (!status.ok()) staleness_.AddRejected(contribution.worker);
  return status;
}

absl::StatusOr<PushOutcome> Shard::CheckAndClaim(State& state, const Contribution& contribution,
                                                 Admission* admission) {
  // The gradient first: its tensor says more than a loss.
  const size_t size = admission->range.size();
  if (admission->checked < size) {
    CONADV_RETURN_IF_ERROR(CheckArrived(contribution, admission->range, admission));
  }
  if (absl::Status status = CheckMeasures(contribution); !status.ok()) {
    staleness_.AddRejected(contribution.worker);
    return status;
  }
  // The pool's arenas are as long as the longest stream; sums run over whole arenas.
  const absl::Span<float> values = admission->buffer->span();
  std::fill(values.begin() + size, values.end(), 0.0F);
  const PushOutcome outcome = state.aggregator.Claim(contribution);
  staleness_.AddOutcome(contribution.worker, outcome);
  return outcome;
}

void Shard::FinishPush(Contribution contribution, Admission admission, PushAnswer done) {
  pool_->Submit([this, state = state(), contribution = std::move(contribution),
                 admission = std::move(admission), done = std::move(done)]() mutable {
    contribution.newest_on_arrival = snapshots_.retained()->latest;
    const absl::StatusOr<PushOutcome> outcome = CheckAndClaim(*state, contribution, &admission);
    const bool taken = outcome.ok() && *outcome != PushOutcome::kDuplicate;
    // Where each contribution is an update, whoever hears of one may lease what the bound allows
    // after it: it has its place in the order before that.
    const bool in_order = taken && !state->sync;
    if (!in_order) done(outcome);
    if (!taken) return;
    {
      MutexLock lock(&state->mutex);
      state->retry_delays.Arrive(clock_->Now());
    }
    std::optional<ClosedGroup> group =
        state->aggregator.Reduce(contribution, std::move(admission.buffer));
    const bool closed = group.has_value();
    if (closed) {
      MutexLock lock(&state->mutex);
      state->sequencer.Close(*std::move(group));
    }
    if (in_order) done(outcome);
    if (closed) ApplyReady(state);
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
  while (std::optional<NextUpdate> next = state->TakeNext()) {
    const bool measures = job_.optimizer.global_clip_norm > 0 && !next->norm.has_value();
    measures ? Measure(state, *std::move(next)) : Apply(*state, *std::move(next));
  }
}

// REQUIRES: `applying` is ours; it is not afterwards, and the next update is this one.
void Shard::Measure(const std::shared_ptr<State>& state, NextUpdate next) {
  Snapshot current = *snapshots_.Latest();
  const Version made = current.version + 1;
  // Others have to close the same group before any of us knows the norm.
  if (shards_ > 1 && shard_ == 0 && !state->sync) observer_->OnDecided(made, next.group.unit);
  Snapshot used = snapshots_.FindOrOldest(OldestUpdateVersion(next.group));
  next.measured = state->optimizer->MeasureGradient(
      UpdateOf(job_, streams_, state->run->plan.steps, next.group, current, used));
  // Nothing is evicted before the update, and they are not held beyond it.
  used.weights = nullptr;
  current.weights = nullptr;
  ShardNorms norms{made, {}};
  for (const Measured& tensor : next.measured) norms.squares.push_back(tensor.gradient);
  if (shards_ == 1) next.norm = NormOf(state->run->layout, {std::move(norms.squares)});
  {
    MutexLock lock(&state->mutex);
    state->measured = std::move(next);
    state->applying = false;
  }
  if (shards_ == 1) return;
  NormExchange* const exchange = norms_;
  // Whoever has no part in a run yet, and is pushed to all the same, waits for ever.
  if (exchange == nullptr) return;
  exchange->Combine(state->run->layout, std::move(norms),
                    [this, state](const absl::StatusOr<double>& norm) {
                      // Nobody waits for this shard any more, and what it does is lost.
                      if (!norm.ok()) return;
                      {
                        MutexLock lock(&state->mutex);
                        state->measured->norm = *norm;
                      }
                      pool_->Submit([this, state] { ApplyReady(state); });
                    });
}

void Shard::Apply(State& state, NextUpdate next) {
  const Unit unit = next.group.unit;
  Snapshot current = *snapshots_.Latest();
  // Evicted weights are compensated from the oldest there are: a smaller correction, never a wrong
  // one.
  Snapshot used = snapshots_.FindOrOldest(OldestUpdateVersion(next.group));
  std::shared_ptr<Arena> arena = state.arenas.Take();
  AppliedUpdate update = ApplyNext(job_, streams_, state.run->plan.steps, next, current, used,
                                   *state.optimizer, arena->data());
  std::shared_ptr<const Arena> average =
      NextAverage(job_.optimizer, current, *arena, &state.arenas);
  update.published = clock_->WallNow();
  // Evicted, they are not held beyond what MemoryLimitOf counts.
  used = {};
  current.weights = nullptr;
  current.average = nullptr;
  // [I8] (docs/invariants.md): the aggregator closes a group once, so this cannot be.
  CHECK(state.applied.Add(unit)) << unit << " was applied already";
  staleness_.AddApplied(update.contributions, unit, current.version, update.published);
  Announce(state, {update.version, std::move(arena), update.published, unit, std::move(average)},
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

bool Shard::refuses(absl::Duration within) const {
  const std::shared_ptr<State> state = this->state();
  if (state == nullptr || state->contributions.in_use() < state->run->room.openings) return false;
  MutexLock lock(&state->mutex);
  return clock_->Now() - state->refused <= within;
}

Shard::Memory Shard::memory() const {
  const std::shared_ptr<State> state = this->state();
  if (state == nullptr) return {};
  const uint64_t arena_bytes = state->run->layout.arena_size(shard_) * sizeof(float);
  const uint64_t optimizer_bytes = state->optimizer->state_bytes();
  const uint64_t chunk_bytes = std::min<uint64_t>(kChunkBytes, arena_bytes);
  return {state->arenas.bytes() + state->contributions.bytes() + optimizer_bytes,
          MemoryLimitOf(job_, *state->run, arena_bytes, optimizer_bytes).total(),
          ConnectionsQuota(job_.training.slots, chunk_bytes),
          SentAheadBytes(job_.training.slots, chunk_bytes)};
}

}  // namespace conadv
