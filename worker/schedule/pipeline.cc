// SPDX-License-Identifier: Apache-2.0
#include "worker/schedule/pipeline.h"

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
      work->seen.granted = seen_.newest;
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
