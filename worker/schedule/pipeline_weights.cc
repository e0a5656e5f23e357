// SPDX-License-Identifier: Apache-2.0
// What the pipeline does about weights: asks for them, and learns what there is.
#include <utility>

#include "worker/schedule/pipeline.h"

namespace conadv {

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

}  // namespace conadv
