// SPDX-License-Identifier: Apache-2.0
#include "worker/compute/pipeline.h"

#include <utility>

#include "glog/logging.h"

namespace conadv {

Pipeline::Pipeline(const PlanOptions& options, uint32_t slot_size, const Parts& parts,
                   PipelineEvents events)
    : options_(options), slot_size_(slot_size), parts_(parts), events_(std::move(events)) {
  // A unit without streams would never be done.
  CHECK(!options_.streams.empty());
}

void Pipeline::Grant(const std::vector<Unit>& units, Lineage lineage) {
  {
    MutexLock lock(&mutex_);
    if (draining_) return;
    for (const Unit& unit : units) {
      WorkPtr& work = units_[unit];
      if (work != nullptr) continue;
      work = std::make_shared<Work>();
      listed_ = false;
      work->progress.unit = unit;
      work->lineage = lineage;
    }
  }
  Advance();
}

void Pipeline::Drain() {
  std::vector<WorkPtr> dropped;  // freed outside the lock
  {
    MutexLock lock(&mutex_);
    draining_ = true;
    for (auto it = units_.begin(); it != units_.end();) {
      if (it->second->progress.updating()) {
        ++it;
      } else {
        dropped.push_back(std::move(it->second));
        it = units_.erase(it);
        listed_ = false;
      }
    }
  }
  CheckDrained();
}

void Pipeline::Drop() {
  std::map<Unit, WorkPtr> dropped;  // freed outside the lock
  {
    MutexLock lock(&mutex_);
    dropped.swap(units_);
    listed_ = false;
    seen_ = SeenVersions();
    broken_ = false;
  }
  parts_.compute->Forget();
  parts_.executor->SetWaitCause(WaitCause::kLease);
  CheckDrained();
}

size_t Pipeline::units_in_hand() const {
  MutexLock lock(&mutex_);
  return units_.size();
}

void Pipeline::Advance() {
  std::vector<std::pair<WorkPtr, Action>> actions;
  WaitCause cause;
  {
    MutexLock lock(&mutex_);
    if (broken_) return;
    ListUnits();
    for (const Action& action : NextActions(progress_, seen_, in_flight_, options_)) {
      const WorkPtr& work = works_[action.index];
      Begin(action, &work->progress);
      if (action.kind == ActionKind::kPass) ++in_flight_;
      actions.emplace_back(work, action);
    }
    cause = CauseOf(progress_, options_);
  }
  parts_.executor->SetWaitCause(cause);
  for (const auto& [work, action] : actions) Perform(work, action);
}

void Pipeline::ListUnits() {
  if (listed_) return;
  works_.clear();
  progress_.clear();
  for (const auto& [unit, work] : units_) {
    works_.push_back(work);
    progress_.push_back(&work->progress);
  }
  listed_ = true;
}

void Pipeline::Forget(const WorkPtr& work) {
  units_.erase(work->progress.unit);
  listed_ = false;
}

void Pipeline::Perform(const WorkPtr& work, const Action& action) {
  const auto on_update = [this, work](const absl::StatusOr<VersionedWeights>& weights) {
    OnUpdateWeights(work, weights);
  };
  const Unit unit = work->progress.unit;
  absl::Status submitted;
  switch (action.kind) {
    case ActionKind::kLoad:
      submitted = parts_.loaders->Submit(Priority::kUpdate, unit,
                                         [this, work](int /*lane*/) { RunLoad(work); });
      break;
    case ActionKind::kAskUpdate:
      if (action.version.has_value()) {
        parts_.cache->Get(*action.version, WeightUse::kUpdate, on_update);
      } else {
        parts_.cache->GetNow(PullSelector::Latest(), on_update);
      }
      return;
    case ActionKind::kAskAttack:
      if (options_.replays > 1) return AskReplayWeights(work, *action.version);
      return AskAttackWeights(work, *action.version);
    case ActionKind::kAttack:
      submitted = parts_.executor->Submit(Priority::kAttack, unit,
                                          [this, work](int lane) { RunAttack(work, lane); });
      break;
    case ActionKind::kPass:
      submitted = parts_.executor->Submit(
          Priority::kUpdate, unit,
          [this, work, stream = action.stream](int lane) { RunPass(work, stream, lane); });
      break;
  }
  if (submitted.ok()) return;
  if (action.kind == ActionKind::kPass) {
    MutexLock lock(&mutex_);
    --in_flight_;
  }
  Break(work, submitted);
}

void Pipeline::SetTau(TauChanges changes) {
  MutexLock lock(&mutex_);
  options_.tau_changes = std::move(changes);
}

void Pipeline::AskAttackWeights(const WorkPtr& work, Version version) {
  uint32_t tau = 0;
  {
    MutexLock lock(&mutex_);
    tau = options_.tau_at(work->progress.unit.step);
  }
  parts_.cache->Get(version, WeightUse::kAttack,
                    [this, work, tau](const absl::StatusOr<VersionedWeights>& weights) {
                      if (!options_.sync && absl::IsOutOfRange(weights.status())) {
                        // Evicted: as old as there is.
                        return parts_.cache->GetNow(
                            PullSelector::Lag(tau),
                            [this, work](const absl::StatusOr<VersionedWeights>& oldest) {
                              OnAttackWeights(work, oldest);
                            });
                      }
                      OnAttackWeights(work, weights);
                    });
}

void Pipeline::AskReplayWeights(const WorkPtr& work, Version first) {
  const Version own(work->progress.unit.step.value());
  const bool here = parts_.compute->HasReplay(work->progress.unit);
  const uint64_t wanted = here ? 0 : own.Since(first);
  {
    MutexLock lock(&mutex_);
    work->replay_weights.resize(wanted);
    work->missing_replays = wanted;
    // The newest that the images were moved with.
    if (wanted == 0) work->progress.attack_version = own == first ? own : own.MinusOrZero(1);
  }
  if (wanted == 0) return Advance();
  for (uint64_t i = 0; i < wanted; ++i) {
    parts_.cache->Get(first + i, WeightUse::kAttack,
                      [this, work, i](const absl::StatusOr<VersionedWeights>& weights) {
                        if (!weights.ok()) return OnNoWeights(work, weights.status());
                        {
                          MutexLock lock(&mutex_);
                          if (!InHand(work)) return;
                          work->replay_weights[i] = weights->weights;
                          if (--work->missing_replays > 0) return;
                          work->progress.attack_version =
                              work->progress.update_version->MinusOrZero(1);
                        }
                        Advance();
                      });
  }
}

void Pipeline::OnUpdateWeights(const WorkPtr& work,
                               const absl::StatusOr<VersionedWeights>& weights) {
  if (!weights.ok()) return OnNoWeights(work, weights.status());
  {
    MutexLock lock(&mutex_);
    if (!InHand(work)) return;
    seen_.See(weights->version);
    UnitProgress& progress = work->progress;
    progress.update_version = weights->version;
    work->update_weights = weights->weights;
    // A lagging shard may have led to an older version than the attack has: never update with that.
    if (progress.attack_version.has_value() && *progress.attack_version > weights->version) {
      progress.update_version = progress.attack_version;
      work->update_weights = work->attack_weights;
    }
  }
  Advance();
}

void Pipeline::OnAttackWeights(const WorkPtr& work,
                               const absl::StatusOr<VersionedWeights>& weights) {
  if (!weights.ok()) return OnNoWeights(work, weights.status());
  {
    MutexLock lock(&mutex_);
    if (!InHand(work)) return;
    UnitProgress& progress = work->progress;
    progress.attack_version = weights->version;
    work->attack_weights = weights->weights;
    if (progress.update_version.has_value() && *progress.update_version < weights->version) {
      progress.attack_version = progress.update_version;
      work->attack_weights = work->update_weights;
    }
  }
  Advance();
}

void Pipeline::OnNoWeights(const WorkPtr& work, const absl::Status& status) {
  if (!options_.sync || !absl::IsOutOfRange(status)) return Break(work, status);
  // Weights of step t that are no longer kept anywhere mean that step t + 1 has been applied, and
  // with it that every shard has this unit: its contribution arrived, and only word of it was lost.
  {
    MutexLock lock(&mutex_);
    if (!InHand(work)) return;
    Forget(work);
  }
  events_.done(work->progress.unit, work->lineage);
  CheckDrained();
  Advance();
}

void Pipeline::RunLoad(const WorkPtr& work) {
  {
    MutexLock lock(&mutex_);
    if (!InHand(work)) return;
  }
  auto batch = parts_.compute->Load(work->progress.unit);
  if (!batch.ok()) return Fail(work, batch.status());
  {
    MutexLock lock(&mutex_);
    work->progress.examples = Stage::kDone;
    work->loaded = *std::move(batch);
  }
  Advance();
}

void Pipeline::RunAttack(const WorkPtr& work, int lane) {
  std::vector<std::shared_ptr<const Arena>> weights;
  std::shared_ptr<const UnitBatch> loaded;
  {
    MutexLock lock(&mutex_);
    if (!InHand(work)) return;
    weights.swap(work->replay_weights);
    if (options_.replays == 1) weights = {work->attack_weights};
    loaded = work->loaded;
  }
  const bool moved = !weights.empty();
  auto batch =
      parts_.compute->Attack(lane, work->progress.unit, std::move(loaded), std::move(weights));
  if (!batch.ok()) return Fail(work, batch.status());
  if (moved) parts_.statistics->Attacked(slot_size_);
  {
    MutexLock lock(&mutex_);
    work->progress.attack = Stage::kDone;
    work->attacked = *std::move(batch);
    if (!work->progress.needs_examples(options_)) work->loaded = nullptr;
    // Kept until the update's weights are known only where those may turn out to be older.
    if (options_.sync || work->progress.update_version.has_value()) work->attack_weights = nullptr;
  }
  Advance();
}

void Pipeline::RunPass(const WorkPtr& work, StreamIndex stream, int lane) {
  const bool attacked = options_.streams[stream.value()].attacked();
  Contribution header;
  std::shared_ptr<const Arena> weights;
  std::shared_ptr<const UnitBatch> batch;
  bool in_hand;
  {
    MutexLock lock(&mutex_);
    const UnitProgress& progress = work->progress;
    in_hand = InHand(work);
    if (!in_hand) --in_flight_;
    header.unit = progress.unit;
    header.lineage = work->lineage;
    header.stream = stream;
    header.update_version = *progress.update_version;
    header.attack_version = attacked ? *progress.attack_version : *progress.update_version;
    weights = work->update_weights;
    batch = attacked ? work->attacked : work->loaded;
  }
  if (!in_hand) return Advance();
  std::shared_ptr<Arena> gradients = parts_.gradients->Take();
  const absl::StatusOr<PassMeasures> pass = parts_.compute->Pass(
      lane, header.unit, stream, std::move(batch), std::move(weights), gradients);
  if (pass.ok()) {
    header.loss = pass->loss;
    header.accuracy = pass->accuracy;
    if (pass->attacked_examples > 0) parts_.statistics->Attacked(pass->attacked_examples);
    // It leaves before anything else is begun.
    parts_.sink->Push(header, std::move(gradients),
                      [this, work](const absl::Status& status) { OnPushed(work, status); });
  }
  {
    MutexLock lock(&mutex_);
    if (!pass.ok()) --in_flight_;
    UnitProgress& progress = work->progress;
    progress.passes[stream.value()] = Stage::kDone;
    if (pass.ok() && pass->attacked != nullptr) {
      progress.attack = Stage::kDone;
      progress.attack_version = progress.update_version;
      work->attacked = pass->attacked;
    }
    if (!progress.needs_examples(options_)) work->loaded = nullptr;
    if (progress.computed(options_)) {
      work->update_weights = nullptr;
      work->attacked = nullptr;
    }
  }
  if (!pass.ok()) return Fail(work, pass.status());
  Advance();
}

void Pipeline::OnPushed(const WorkPtr& work, const absl::Status& status) {
  bool done = false;
  {
    MutexLock lock(&mutex_);
    --in_flight_;
    if (status.ok() && InHand(work)) {
      done = ++work->pushed == options_.streams.size();
      if (done) Forget(work);
    }
  }
  if (absl::IsInvalidArgument(status)) {
    Fail(work, status);
  } else if (!status.ok()) {
    Break(work, status);
  } else if (done) {
    parts_.statistics->UnitDone();
    events_.done(work->progress.unit, work->lineage);
    CheckDrained();
  }
  Advance();
}

void Pipeline::Fail(const WorkPtr& work, const absl::Status& status) {
  {
    MutexLock lock(&mutex_);
    if (!InHand(work)) return;
    Forget(work);
  }
  events_.failed(work->progress.unit, work->lineage, status);
  CheckDrained();
  Advance();
}

void Pipeline::Break(const WorkPtr& work, const absl::Status& status) {
  {
    MutexLock lock(&mutex_);
    if (broken_ || !InHand(work)) return;
    broken_ = true;
  }
  events_.broken(status);
}

void Pipeline::CheckDrained() {
  {
    MutexLock lock(&mutex_);
    if (!draining_ || drained_ || !units_.empty()) return;
    drained_ = true;
  }
  events_.drained();
}

bool Pipeline::InHand(const WorkPtr& work) const {
  const auto it = units_.find(work->progress.unit);
  return it != units_.end() && it->second == work;
}

}  // namespace conadv
