// SPDX-License-Identifier: Apache-2.0
#include "server/agent/checkpoint_copy.h"

#include <algorithm>
#include <utility>

#include "common/plan/plan.h"

namespace conadv {

ShardCheckpoint CheckpointCopy::View() const {
  ShardCheckpoint checkpoint;
  checkpoint.version = version();
  checkpoint.weights = snapshots_.back().weights->span();
  if (const auto& average = snapshots_.back().average; average != nullptr) {
    checkpoint.average = average->span();
  }
  for (size_t i = 0; i + 1 < snapshots_.size(); ++i) {
    checkpoint.older.push_back({snapshots_[i].version, snapshots_[i].weights->span()});
  }
  for (const State& state : states_) {
    checkpoint.states.push_back({state.name, state.values->span()});
  }
  checkpoint.applied_prefix = applied_.prefix();
  checkpoint.applied_ahead = applied_.ahead();
  checkpoint.plan = plan_;
  return checkpoint;
}

std::shared_ptr<const CheckpointCopy> CheckpointCopies::Take(const Publication& publication,
                                                             size_t versions) {
  std::shared_ptr<CheckpointCopy> copy(
      new CheckpointCopy(publication.run.layout, publication.applied));
  copy->plan_ = PlanBytes(publication.run.plan);
  copy->snapshots_ = publication.store.Newest(versions);
  // Only the checkpoint's version goes on from its average.
  for (size_t i = 0; i + 1 < copy->snapshots_.size(); ++i) copy->snapshots_[i].average = nullptr;
  const std::vector<Optimizer::StateTensor> states = publication.optimizer.state();
  for (const Optimizer::StateTensor& state : states) {
    std::shared_ptr<Arena> values;
    {
      MutexLock lock(&mutex_);
      if (!arenas_.has_value() || arenas_->arena_size() != state.values.size()) {
        arenas_.emplace(state.values.size(), states.size());
      }
      values = arenas_->Take();
    }
    std::copy(state.values.begin(), state.values.end(), values->data());
    copy->states_.push_back({state.name, std::move(values)});
  }
  return copy;
}

uint64_t CheckpointCopies::bytes() const {
  MutexLock lock(&mutex_);
  return arenas_.has_value() ? arenas_->bytes() : 0;
}

}  // namespace conadv
