// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/job/streams.h"
#include "server/metrics/collect.h"
#include "server/metrics/labels.h"

namespace conadv {
namespace {

double ExamplesOfUpdate(const Job& job) {
  return Number(uint64_t{job.training.slot_size()} * job.training.slots_per_update());
}

void CollectInfo(const ServerParts& parts, bool ready, Exposition* out) {
  const Job& job = parts.shard->job();
  out->Add("conadv_run_info", 1,
           {{"run", job.name},
            {"algorithm", std::string(AlgorithmName(job.training.algorithm))},
            {"consistency", std::string(ConsistencyName(job.training.consistency))},
            {"tau", absl::StrCat(job.training.tau)},
            {"shard", absl::StrCat(parts.shard->shard())}});
  out->Add("conadv_shards", parts.shard->shards());
  out->Add("conadv_ready", ready ? 1 : 0);
}

void CollectVersions(const ServerParts& parts, const ShardEvents::Progress& progress,
                     Exposition* out) {
  const auto retained = parts.shard->snapshots().retained();
  if (!retained.has_value()) return;
  const Exposition::Labels lineage = LineageLabel(parts);
  const uint64_t newest = retained->latest.value();
  const uint64_t first = std::min(progress.first.value(), newest);
  out->Add("conadv_version", Number(newest), lineage);
  out->Add("conadv_restored_version", Number(first), lineage);
  out->Add("conadv_updates_total", Number(newest - first), lineage);
  out->Add("conadv_examples_total", Number(newest - first) * ExamplesOfUpdate(parts.shard->job()),
           lineage);
  out->AddSeconds("conadv_update_duration_seconds",
                  SecondsDistribution::Of(parts.events->update_micros()), lineage);
  if (const auto run = parts.shard->run(); run != nullptr) {
    out->Add("conadv_final_version", Number(run->last.value()));
  }
  const SnapshotStore& store = parts.shard->snapshots();
  out->Add("conadv_snapshots", Number(store.List().size()));
  out->Add("conadv_snapshots_limit", store.retain());
  out->Add("conadv_waiting_pulls", Number(store.waiting()));
}

void CollectUpdate(const ServerParts& parts, const ShardEvents::Progress& progress,
                   Exposition* out) {
  out->Add("conadv_examples_per_second", progress.examples_per_second);
  if (!progress.last.has_value()) return;
  const StepMetrics& last = *progress.last;
  out->Add("conadv_learning_rate", last.update.rate);
  const GradientStreams& streams = parts.shard->streams();
  const UpdateNorms& norms = last.update.norms;
  for (size_t i = 0; i < streams.size(); ++i) {
    const Exposition::Labels stream = {{"stream", streams[i].name}};
    out->Add("conadv_loss", last.streams[i].loss, stream);
    out->Add("conadv_batch_accuracy", last.streams[i].accuracy, stream);
    out->Add("conadv_gradient_norm", norms.norm[i], stream);
    const double product = norms.norm[0] * norms.norm[i];
    if (i > 0 && product > 0) out->Add("conadv_gradient_cosine", norms.dot[i] / product, stream);
  }
}

void CollectStaleness(const ServerParts& parts, Exposition* out) {
  const StalenessBook::Worker all = parts.shard->staleness().all();
  const Exposition::Labels lineage = LineageLabel(parts);
  out->AddVersions("conadv_attack_staleness_versions", all.attack, lineage);
  out->AddVersions("conadv_update_staleness_versions", all.update, lineage);
  const auto origin = [&](absl::string_view name, absl::string_view where, uint64_t versions) {
    out->Add(name, Number(versions), With(lineage, "origin", where));
  };
  origin("conadv_attack_staleness_origin_versions_total", "lease", all.origins.attack_lease);
  origin("conadv_attack_staleness_origin_versions_total", "queue", all.origins.attack_queue);
  origin("conadv_attack_staleness_origin_versions_total", "compute", all.origins.attack_compute);
  origin("conadv_attack_staleness_origin_versions_total", "unsaid", all.origins.attack_unsaid);
  origin("conadv_update_staleness_origin_versions_total", "compute", all.origins.update_compute);
  origin("conadv_update_staleness_origin_versions_total", "apply", all.origins.update_apply);
  if (all.cosines.units > 0) out->Add("conadv_attack_cosine", all.cosines.newest, lineage);
  out->Add("conadv_attack_cosine_units_total", Number(all.cosines.units), lineage);
  const auto outcome = [&](absl::string_view name, uint64_t count) {
    out->Add("conadv_contributions_total", Number(count), With(lineage, "outcome", name));
  };
  outcome("accepted", all.accepted);
  outcome("duplicate", all.duplicates);
  outcome("rejected", all.rejected);
}

void CollectMemory(const ServerParts& parts, const Checkpointer::State& checkpoint,
                   Exposition* out) {
  const Shard::Memory memory = parts.shard->memory();
  out->Add("conadv_memory_bytes",
           Number(memory.now_bytes + checkpoint.copied_bytes + parts.events->record_bytes() +
                  parts.shard->staleness().bytes() + parts.stats->bytes()));
  if (memory.limit_bytes == 0) return;
  out->Add("conadv_memory_limit_bytes",
           Number(memory.limit_bytes + ShardEvents::record_limit_bytes()));
}

void CollectCheckpoints(const ServerParts& parts, const Checkpointer::State& checkpoint,
                        Exposition* out) {
  const Exposition::Labels lineage = LineageLabel(parts);
  out->Add("conadv_checkpoints_total", Number(checkpoint.written),
           With(lineage, "outcome", "written"));
  out->Add("conadv_checkpoints_total", Number(checkpoint.failed),
           With(lineage, "outcome", "failed"));
  if (checkpoint.newest.has_value()) {
    out->Add("conadv_checkpoint_version", Number(checkpoint.newest->value()), lineage);
  }
  if (checkpoint.written == 0) return;
  out->Add("conadv_checkpoint_age_seconds",
           absl::ToDoubleSeconds(parts.clock->Now() - checkpoint.written_at));
  out->Add("conadv_checkpoint_duration_seconds", absl::ToDoubleSeconds(checkpoint.took));
  if (checkpoint.room.checkpoint_bytes == 0) return;
  out->Add("conadv_checkpoint_bytes", Number(checkpoint.room.checkpoint_bytes));
  out->Add("conadv_checkpoint_free_bytes", Number(checkpoint.room.free_bytes));
}

}  // namespace

void CollectShard(const ServerParts& parts, bool ready, Exposition* out) {
  const ShardEvents::Progress progress = parts.events->progress();
  const Checkpointer::State checkpoint = parts.checkpointer->state();
  CollectInfo(parts, ready, out);
  CollectVersions(parts, progress, out);
  CollectUpdate(parts, progress, out);
  CollectStaleness(parts, out);
  CollectMemory(parts, checkpoint, out);
  CollectCheckpoints(parts, checkpoint, out);
}

void CollectGoodput(const Goodput::Sums& sums, const std::string& process, double examples,
                    Exposition* out) {
  const Exposition::Labels label = {{"process", process}};
  out->Add("conadv_lineages_total", Number(sums.lineages), label);
  out->Add("conadv_made_updates_total", Number(sums.made_updates), label);
  out->Add("conadv_lost_updates_total", Number(sums.lost_updates), label);
  out->Add("conadv_made_examples_total", Number(sums.made_updates) * examples, label);
  out->Add("conadv_lost_examples_total", Number(sums.lost_updates) * examples, label);
  out->Add("conadv_trained_seconds_total", absl::ToDoubleSeconds(sums.trained), label);
  out->Add("conadv_lost_seconds_total", absl::ToDoubleSeconds(sums.lost), label);
}

std::optional<Goodput::Sight> SightOf(const ServerParts& parts) {
  const ShardEvents::Progress progress = parts.events->progress();
  const auto retained = parts.shard->snapshots().retained();
  if (!retained.has_value() || parts.shard->lineage() == Lineage(0)) return std::nullopt;
  // Weights are published before anybody hears of them.
  if (retained->latest < progress.first || progress.newest < progress.began) return std::nullopt;
  return Goodput::Sight{parts.shard->lineage(), progress.first, retained->latest, progress.began,
                        progress.newest};
}

}  // namespace conadv
