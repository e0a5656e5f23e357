// SPDX-License-Identifier: Apache-2.0
#include "server/shard/apply.h"

#include <algorithm>

#include "server/optimize/schedule.h"
#include "server/snapshot/average.h"

namespace conadv {
namespace {

struct MeanStaleness {
  double attack = 0;
  double update = 0;
  std::optional<double> cosine;
};

MeanStaleness MeanOf(const std::vector<Contribution>& contributions, const GradientStreams& streams,
                     Version applied_at) {
  double attack = 0;
  double update = 0;
  double attacks = 0;
  double cosine = 0;
  double cosines = 0;
  for (const Contribution& contribution : contributions) {
    update += static_cast<double>(applied_at.Since(contribution.update_version));
    if (streams[contribution.stream.value()].attacked()) {
      attack += static_cast<double>(contribution.update_version.Since(contribution.attack_version));
      ++attacks;
    }
    if (contribution.attack_cosine.has_value()) {
      cosine += *contribution.attack_cosine;
      ++cosines;
    }
  }
  MeanStaleness mean{attacks == 0 ? 0 : attack / attacks,
                     update / static_cast<double>(contributions.size()), std::nullopt};
  if (cosines > 0) mean.cosine = cosine / cosines;
  return mean;
}

}  // namespace

Version OldestUpdateVersion(const ClosedGroup& group) {
  Version oldest = group.contributions.front().update_version;
  for (const Contribution& contribution : group.contributions) {
    oldest = std::min(oldest, contribution.update_version);
  }
  return oldest;
}

Update UpdateOf(const Job& job, const GradientStreams& streams, uint64_t steps,
                const ClosedGroup& group, const Snapshot& current, const Snapshot& used) {
  const TrainingOptions& training = job.training;
  const uint64_t step = current.version.value() / training.updates_per_step();
  const uint64_t staleness = current.version.Since(OldestUpdateVersion(group));

  Update update;
  update.weights = current.weights->data();
  for (size_t stream = 0; stream < streams.size(); ++stream) {
    update.streams.push_back({group.sums[stream]->data(), streams[stream].weight,
                              training.slots_per_update(), streams[stream].branch,
                              streams[stream].own_weight});
  }
  update.rate = Rate(job.schedule, step, steps);
  if (training.damping) update.step_scale = 1 / (1 + static_cast<float>(staleness));
  if (training.delay_compensation > 0 && staleness > 0) {
    update.used = used.weights->data();
    update.compensation = training.delay_compensation;
  }
  return update;
}

AppliedUpdate ApplyNext(const Job& job, const GradientStreams& streams, uint64_t steps,
                        const NextUpdate& next, const Snapshot& current, const Snapshot& used,
                        Optimizer& optimizer, float* arena) {
  const ClosedGroup& group = next.group;
  Update update = UpdateOf(job, streams, steps, group, current, used);
  if (next.norm.has_value()) {
    update.measured = &next.measured;
    update.gradient_scale = ClipScale(*next.norm, job.optimizer.global_clip_norm);
  }

  AppliedUpdate applied;
  applied.version = current.version + 1;
  applied.unit = group.unit;
  applied.rate = update.rate;
  applied.norms = optimizer.Apply(update, arena);
  applied.gradient_norm = next.norm;
  applied.contributions = group.contributions;
  const MeanStaleness mean = MeanOf(group.contributions, streams, current.version);
  applied.attack_staleness = mean.attack;
  applied.update_staleness = mean.update;
  applied.attack_cosine = mean.cosine;
  return applied;
}

std::shared_ptr<const Arena> NextAverage(const OptimizerOptions& options, const Snapshot& current,
                                         const Arena& weights, ArenaPool* arenas) {
  if (!options.average.has_value()) return nullptr;
  std::shared_ptr<Arena> average = arenas->Take();
  MoveAverage(AverageDecay(*options.average, current.version + 1), current.average->data(),
              weights.data(), weights.size(), average->data());
  return average;
}

}  // namespace conadv
