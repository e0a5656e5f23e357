// SPDX-License-Identifier: Apache-2.0
#include "server/coordinate/grant.h"

#include <algorithm>
#include <limits>

namespace conadv {
namespace {

// a.held / a.threads < b.held / b.threads, without rounding.
bool LessLoaded(const WorkerLoad& a, const WorkerLoad& b) {
  return a.held * b.threads < b.held * a.threads;
}

}  // namespace

LeaseOptions LeaseOptionsOf(const Job& job, uint32_t shards, uint64_t steps) {
  const TrainingOptions& training = job.training;
  LeaseOptions options;
  options.steps = steps;
  options.slots = training.slots;
  switch (training.consistency) {
    case Consistency::kSync: options.window = training.tau + 1; break;
    case Consistency::kSsp: options.window = training.staleness_bound; break;
    case Consistency::kAsync: options.window = std::numeric_limits<uint64_t>::max(); break;
  }
  // Shard 0 may have applied what lies as far before the awaited unit as after it.
  if (!training.sync() && shards > 1) {
    options.window_units = (std::max(job.server.retain, 2U) - 2) / 2;
  }
  return options;
}

size_t MostHeld(const TrainingOptions& training, const LeaseOptions& options,
                const std::vector<WorkerLoad>& workers, const WorkerLoad& worker) {
  if (!training.sync()) return 2 * size_t{worker.threads};
  size_t threads = 0;
  for (const WorkerLoad& other : workers) threads += other.threads;
  const size_t units = (options.window + 1) * options.slots;
  return (units * worker.threads + threads - 1) / threads;
}

std::optional<MemberId> NextWorker(const TrainingOptions& training, const LeaseOptions& options,
                                   const std::vector<WorkerLoad>& workers) {
  const bool choice = std::any_of(workers.begin(), workers.end(),
                                  [](const WorkerLoad& worker) { return !worker.straggles; });
  const WorkerLoad* best = nullptr;
  for (const WorkerLoad& worker : workers) {
    if (choice && worker.straggles) continue;
    if (worker.held >= MostHeld(training, options, workers, worker)) continue;
    if (best == nullptr || LessLoaded(worker, *best)) best = &worker;
  }
  return best == nullptr ? std::nullopt : std::optional<MemberId>(best->id);
}

std::optional<MemberId> AnotherWorker(const std::vector<WorkerLoad>& workers, MemberId not_this) {
  if (workers.empty()) return std::nullopt;
  const WorkerLoad* best = nullptr;
  for (const WorkerLoad& worker : workers) {
    if (worker.id == not_this) continue;
    if (best == nullptr || LessLoaded(worker, *best)) best = &worker;
  }
  return best == nullptr ? workers.front().id : best->id;
}

std::optional<MemberId> Substitute(const std::vector<WorkerLoad>& workers,
                                   const std::set<MemberId>& holders) {
  const WorkerLoad* best = nullptr;
  for (const WorkerLoad& worker : workers) {
    if (worker.straggles || holders.count(worker.id) > 0) continue;
    if (best == nullptr || LessLoaded(worker, *best)) best = &worker;
  }
  return best == nullptr ? std::nullopt : std::optional<MemberId>(best->id);
}

}  // namespace conadv
