// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include "server/metrics/collect.h"
#include "server/metrics/labels.h"

namespace conadv {
namespace {

constexpr std::pair<Phase, absl::string_view> kPhases[] = {
    {Phase::kWaitingForShards, "waiting_for_shards"},
    {Phase::kRestoring, "restoring"},
    {Phase::kWaitingForWorkers, "waiting_for_workers"},
    {Phase::kInitializing, "initializing"},
    {Phase::kTraining, "training"},
    {Phase::kWritingLastCheckpoint, "writing_last_checkpoint"},
    {Phase::kEvaluating, "evaluating"},
    {Phase::kFinished, "finished"},
};

void CollectMembers(const CoordinatorView& view, Exposition* out) {
  uint64_t working = 0;
  uint64_t idle = 0;
  uint64_t straggling = 0;
  uint64_t leased_units = 0;
  uint64_t shards = 0;
  uint64_t evaluators = 0;
  uint64_t observers = 0;
  for (const auto& [member, leased] : view.members) {
    leased_units += leased.size();
    switch (member.hello.role) {
      case Role::kWorker:
        ++(member.straggles ? straggling : leased.empty() ? idle : working);
        break;
      case Role::kShard: ++shards; break;
      case Role::kEvaluator: ++evaluators; break;
      case Role::kObserver: ++observers; break;
    }
  }
  out->Add("conadv_units_leased", Number(leased_units));
  out->Add("conadv_workers", Number(working), {{"state", "working"}});
  out->Add("conadv_workers", Number(idle), {{"state", "idle"}});
  out->Add("conadv_workers", Number(straggling), {{"state", "straggling"}});
  out->Add("conadv_members", Number(shards), {{"role", "shard"}});
  out->Add("conadv_members", Number(evaluators), {{"role", "evaluator"}});
  out->Add("conadv_members", Number(observers), {{"role", "observer"}});
}

void CollectEvaluation(const EvaluationResult& evaluation, const Exposition::Labels& lineage,
                       Exposition* out) {
  out->Add("conadv_evaluation_version", Number(evaluation.version.value()), lineage);
  out->Add("conadv_evaluation_accuracy", evaluation.clean_accuracy, {{"kind", "clean"}});
  if (evaluation.robust_accuracy.has_value()) {
    out->Add("conadv_evaluation_accuracy", *evaluation.robust_accuracy, {{"kind", "robust"}});
  }
  out->Add("conadv_evaluation_loss", evaluation.clean_loss);
  out->Add("conadv_evaluation_duration_seconds", evaluation.seconds);
}

}  // namespace

void CollectRun(const ServerParts& parts, Exposition* out) {
  const CoordinatorView view = parts.coordinator->Read();
  const Exposition::Labels lineage = LineageLabel(parts);
  for (const auto& [phase, name] : kPhases) {
    out->Add("conadv_phase", view.phase == phase ? 1 : 0, {{"phase", std::string(name)}});
  }
  out->Add("conadv_step", Number(view.step.value()), lineage);
  out->Add("conadv_steps", Number(view.steps));
  out->Add("conadv_training_seconds", absl::ToDoubleSeconds(view.training_time), lineage);
  const auto units = [&](absl::string_view what, uint64_t count) {
    out->Add("conadv_units_total", Number(count), With(lineage, "outcome", what));
  };
  units("leased", view.units.leased);
  units("done", view.units.done);
  units("duplicate", view.units.duplicates);
  units("failed", view.units.failed);
  units("taken_back", view.units.taken_back);
  out->Add("conadv_lease_ahead_steps_total", Number(view.units.steps_ahead), lineage);
  CollectMembers(view, out);
  if (view.checkpoint.has_value()) {
    out->Add("conadv_checkpoint_common_version", Number(view.checkpoint->value()), lineage);
  }
  if (view.evaluation.has_value()) CollectEvaluation(*view.evaluation, lineage, out);
}

void CollectWorkers(const ServerParts& parts, Exposition* out) {
  const WorkerSums sums = parts.stats->sums();
  const Exposition::Labels lineage = LineageLabel(parts);
  const auto bytes = [&](WorkerSums::Field field, absl::string_view direction,
                         absl::string_view source) {
    out->Add("conadv_worker_bytes_total", sums.values[field],
             With(With(lineage, "direction", direction), "source", source));
  };
  bytes(WorkerSums::kNetworkPulledBytes, "pull", "network");
  bytes(WorkerSums::kSharedPulledBytes, "pull", "shared_memory");
  bytes(WorkerSums::kCachedBytes, "pull", "cache");
  bytes(WorkerSums::kNetworkPushedBytes, "push", "network");
  bytes(WorkerSums::kSharedPushedBytes, "push", "shared_memory");
  out->Add("conadv_worker_units_total", sums.values[WorkerSums::kUnitsDone], lineage);
  out->Add("conadv_worker_attack_examples_total", sums.values[WorkerSums::kAttackExamples],
           lineage);
  const auto attack = [&](WorkerSums::Field field, absl::string_view source) {
    out->Add("conadv_worker_attack_weights_total", sums.values[field],
             With(lineage, "source", source));
  };
  attack(WorkerSums::kAttackCacheHits, "cache");
  attack(WorkerSums::kAttackPulls, "pull");
  out->Add("conadv_worker_busy_seconds_total", sums.values[WorkerSums::kBusySeconds], lineage);
  const auto wait = [&](WorkerSums::Field field, absl::string_view what) {
    out->Add("conadv_worker_wait_seconds_total", sums.values[field], With(lineage, "for", what));
  };
  wait(WorkerSums::kWaitLeaseSeconds, "lease");
  wait(WorkerSums::kWaitDataSeconds, "data");
  wait(WorkerSums::kWaitWeightsSeconds, "weights");
  wait(WorkerSums::kWaitAttackSeconds, "attack");
  wait(WorkerSums::kWaitPushSeconds, "push");
  out->AddSeconds("conadv_pull_duration_seconds", sums.pull, lineage);
  out->AddSeconds("conadv_push_duration_seconds", sums.push, lineage);
}

}  // namespace conadv
