// SPDX-License-Identifier: Apache-2.0
#include "server/rpc/inspect/views.h"

#include <cmath>

#include "absl/strings/str_cat.h"
#include "common/job/streams.h"
#include "common/protocol/evaluation.h"
#include "common/protocol/tau_proto.h"
#include "server/rpc/membership/member_proto.h"

namespace conadv {
namespace {

v1::StatusResponse::Phase ToProto(Phase phase) {
  switch (phase) {
    case Phase::kWaitingForShards: return v1::StatusResponse::WAITING_FOR_SHARDS;
    case Phase::kRestoring: return v1::StatusResponse::RESTORING;
    case Phase::kWaitingForWorkers: return v1::StatusResponse::WAITING_FOR_WORKERS;
    case Phase::kInitializing: return v1::StatusResponse::INITIALIZING;
    case Phase::kTraining: return v1::StatusResponse::TRAINING;
    case Phase::kWritingLastCheckpoint:
    case Phase::kEvaluating: return v1::StatusResponse::EVALUATING;
    case Phase::kFinished: return v1::StatusResponse::FINISHED;
  }
  return v1::StatusResponse::WAITING_FOR_SHARDS;
}

// The lineage is the run's, which the response names elsewhere.
v1::ReportRequest ViewEvaluation(const EvaluationResult& result) {
  v1::ReportRequest report = ToProto(result);
  report.clear_lineage();
  return report;
}

// Between the first stream and another.
double CosineOf(const UpdateNorms& norms, size_t other) {
  const double product = norms.norm[0] * norms.norm[other];
  return product > 0 ? norms.dot[other] / product : 0;
}

void SetStream(const StepMetrics& metrics, size_t index, StreamKind kind,
               v1::MetricsRecord::Step* step) {
  const StreamMeasures& measures = metrics.streams[index];
  const double norm = metrics.update.norms.norm[index];
  switch (kind) {
    case StreamKind::kClean:
      step->set_clean_loss(measures.loss);
      step->set_clean_accuracy(measures.accuracy);
      step->set_clean_norm(norm);
      break;
    case StreamKind::kAugmented:
      step->set_augmented_loss(measures.loss);
      step->set_augmented_accuracy(measures.accuracy);
      step->set_augmented_norm(norm);
      break;
    case StreamKind::kAttack: step->set_attack_loss(measures.loss); break;
    case StreamKind::kAdversarial:
      step->set_adversarial_loss(measures.loss);
      step->set_adversarial_accuracy(measures.accuracy);
      step->set_adversarial_norm(norm);
      if (index > 0) step->set_cosine(CosineOf(metrics.update.norms, index));
      break;
  }
}

// 0 where the run has no such stream.
double LossOf(const StepMetrics& metrics, const GradientStreams& streams, StreamKind kind) {
  const std::optional<size_t> index = IndexOf(streams, kind);
  return index.has_value() ? metrics.streams[*index].loss : 0;
}

void AddCourse(const ServerParts& parts, v1::StatusResponse* status) {
  const CoordinatorView view = parts.coordinator->Read();
  status->set_phase(ToProto(view.phase));
  status->set_step(view.step.value());
  status->set_steps(view.steps);
  status->set_tau(TauAt(parts.shard->job().training.tau, view.tau, view.step));
  if (!view.tau.empty()) *status->mutable_settings() = ToProto(view.tau);
  status->set_message(view.message);
  if (!view.warning.empty()) {
    status->set_warning(
        absl::StrCat(status->warning(), status->warning().empty() ? "" : "; ", view.warning));
  }
  if (view.checkpoint.has_value()) status->set_checkpoint_version(view.checkpoint->value());
  status->set_seconds(absl::ToDoubleSeconds(view.training_time));
  for (const auto& [member, leased] : view.members) {
    if (member.hello.role == Role::kWorker) status->set_workers(status->workers() + 1);
  }
  if (const auto servers = parts.coordinator->Servers(); servers.ok()) {
    status->mutable_servers()->Assign(servers->begin(), servers->end());
  }
  if (view.evaluation.has_value())
    *status->mutable_last_evaluation() = ViewEvaluation(*view.evaluation);
}

v1::StalenessOrigins ToProto(const StalenessBook::Origins& origins) {
  v1::StalenessOrigins out;
  out.set_attack_lease(origins.attack_lease);
  out.set_attack_queue(origins.attack_queue);
  out.set_attack_compute(origins.attack_compute);
  out.set_attack_unsaid(origins.attack_unsaid);
  out.set_update_compute(origins.update_compute);
  out.set_update_apply(origins.update_apply);
  return out;
}

// What all workers' and each one's answers have.
template <class Message>
void AddOriginsAndCosine(const StalenessBook::Worker& worker, Message* out) {
  *out->mutable_origins() = ToProto(worker.origins);
  if (worker.cosines.units == 0) return;
  v1::AttackCosine* const cosine = out->mutable_attack_cosine();
  cosine->set_units(worker.cosines.units);
  cosine->set_mean(worker.cosines.mean());
  cosine->set_least(worker.cosines.least);
  cosine->set_newest(worker.cosines.newest);
}

void AddWorker(const StalenessBook::Worker& worker, v1::WorkerStaleness* out) {
  *out->mutable_attack_staleness() = ToProto(worker.attack);
  *out->mutable_update_staleness() = ToProto(worker.update);
  out->set_accepted(worker.accepted);
  out->set_duplicates(worker.duplicates);
  out->set_rejected(worker.rejected);
  AddOriginsAndCosine(worker, out);
}

void AddVersion(const StalenessBook::VersionRecord& record, v1::VersionContributors* out) {
  out->set_version(record.version.value());
  out->set_step(record.unit.step.value());
  out->set_published_unix_micros(absl::ToUnixMicros(record.published));
  for (const auto& [name, slots] : record.slots_by_worker) {
    v1::VersionContributors::Contributor* contributor = out->add_contributors();
    contributor->set_worker(name);
    contributor->set_slots(slots);
  }
}

}  // namespace

v1::StatusResponse ViewStatus(const ServerParts& parts) {
  v1::StatusResponse status;
  const Job& job = parts.shard->job();
  status.set_job(job.name);
  status.set_algorithm(std::string(AlgorithmName(job.training.algorithm)));
  status.set_consistency(std::string(ConsistencyName(job.training.consistency)));
  status.set_tau(job.training.tau);
  status.set_passes(PassesOf(job.training, job.attack));
  for (const GradientStream& stream : parts.shard->streams()) status.add_streams(stream.name);
  status.set_examples_per_update(static_cast<uint64_t>(job.training.slot_size()) *
                                 job.training.slots_per_update());
  status.set_shard(parts.shard->shard());
  status.set_shards(parts.shard->shards());
  status.set_incarnation(parts.incarnation.value());
  status.set_lineage(parts.shard->lineage().value());
  if (const auto retained = parts.shard->snapshots().retained(); retained.has_value()) {
    status.set_version(retained->latest.value());
    status.set_phase(v1::StatusResponse::TRAINING);
  }
  if (const auto run = parts.shard->run(); run != nullptr) {
    status.set_final_version(run->last.value());
  }
  const ShardEvents::Progress progress = parts.events->progress();
  status.set_examples_per_second(progress.examples_per_second);
  status.set_restored_version(progress.first.value());
  status.set_warning(progress.warning);
  if (progress.last.has_value()) {
    const GradientStreams& streams = parts.shard->streams();
    status.set_clean_loss(LossOf(*progress.last, streams, StreamKind::kClean));
    status.set_augmented_loss(LossOf(*progress.last, streams, StreamKind::kAugmented));
    status.set_adversarial_loss(LossOf(*progress.last, streams, StreamKind::kAdversarial));
    status.set_rate(progress.last->update.rate);
  }
  const StalenessBook::Means staleness = parts.shard->staleness().means();
  status.set_attack_staleness_mean(staleness.attack);
  status.set_update_staleness_mean(staleness.update);
  const Shard::Memory memory = parts.shard->memory();
  const Checkpointer::State checkpoint = parts.checkpointer->state();
  status.set_memory_bytes(memory.now_bytes + checkpoint.copied_bytes +
                          parts.events->record_bytes() + parts.shard->staleness().bytes() +
                          parts.stats->bytes());
  status.set_memory_limit_bytes(
      memory.limit_bytes == 0 ? 0 : memory.limit_bytes + ShardEvents::record_limit_bytes());
  if (checkpoint.newest.has_value()) status.set_checkpoint_version(checkpoint.newest->value());
  status.set_checkpoint_bytes(checkpoint.room.checkpoint_bytes);
  status.set_checkpoint_free_bytes(checkpoint.room.free_bytes);
  if (!checkpoint.error.ok()) status.set_checkpoint_error(checkpoint.error.ToString());
  if (parts.coordinator != nullptr) AddCourse(parts, &status);
  return status;
}

v1::StalenessResponse ViewStaleness(const ServerParts& parts) {
  v1::StalenessResponse response;
  if (const auto retained = parts.shard->snapshots().retained(); retained.has_value()) {
    response.set_version(retained->latest.value());
  }
  const StalenessBook::View view = parts.shard->staleness().Read();
  *response.mutable_attack_staleness() = ToProto(view.all.attack);
  *response.mutable_update_staleness() = ToProto(view.all.update);
  response.set_accepted(view.all.accepted);
  response.set_duplicates(view.all.duplicates);
  response.set_rejected(view.all.rejected);
  AddOriginsAndCosine(view.all, &response);

  std::map<std::string, v1::WorkerStaleness> workers;
  for (const auto& [name, worker] : view.workers) AddWorker(worker, &workers[name]);
  if (parts.coordinator != nullptr) {
    for (const auto& [name, stats] : parts.stats->Read()) *workers[name].mutable_stats() = stats;
    for (const auto& [member, leased] : parts.coordinator->Read().members) {
      if (member.hello.role != Role::kWorker) continue;
      v1::WorkerStaleness& worker = workers[member.hello.name];
      worker.set_worker_id(member.id.value());
      worker.set_present(true);
    }
  }
  for (auto& [name, worker] : workers) {
    worker.set_name(name);
    *response.add_workers() = std::move(worker);
  }
  for (const auto& record : view.versions) AddVersion(record, response.add_versions());
  return response;
}

v1::WorkersResponse ViewWorkers(const ServerParts& parts) {
  v1::WorkersResponse response;
  if (parts.coordinator == nullptr) return response;
  const absl::Time now = parts.clock->Now();
  for (const auto& [member, leased] : parts.coordinator->Read().members) {
    v1::WorkersResponse::Member* out = response.add_members();
    out->set_worker_id(member.id.value());
    out->set_name(member.hello.name);
    out->set_role(ToProto(member.hello.role));
    out->set_peer(member.hello.peer);
    for (const Unit& unit : leased) *out->add_leased() = ToProto(unit);
    out->set_units_done(member.units_done);
    out->set_seconds_since_message(absl::ToDoubleSeconds(now - member.heard));
    out->set_seconds_joined(absl::ToDoubleSeconds(now - member.joined));
    out->set_threads(member.hello.threads);
    out->set_straggles(member.straggles);
    out->set_drains(member.drains);
    out->set_drains(member.drains);
  }
  return response;
}

v1::SnapshotsResponse ViewSnapshots(const ServerParts& parts) {
  v1::SnapshotsResponse response;
  const SnapshotStore& store = parts.shard->snapshots();
  response.set_retain(store.retain());
  response.set_waiting_pulls(store.waiting());
  for (const SnapshotStore::Listing& listing : store.List()) {
    v1::SnapshotsResponse::Snapshot* out = response.add_snapshots();
    out->set_version(listing.snapshot.version.value());
    out->set_published_unix_micros(absl::ToUnixMicros(listing.snapshot.published));
    out->set_bytes(listing.bytes);
    out->set_pulls(listing.pulls);
  }
  return response;
}

v1::MetricsRecord ViewMetrics(const GradientStreams& streams, uint64_t index,
                              const std::variant<StepMetrics, EvaluationResult>& record) {
  v1::MetricsRecord out;
  out.set_index(index);
  if (const auto* evaluation = std::get_if<EvaluationResult>(&record)) {
    *out.mutable_evaluation() = ViewEvaluation(*evaluation);
    return out;
  }
  const StepMetrics& metrics = std::get<StepMetrics>(record);
  v1::MetricsRecord::Step* step = out.mutable_step();
  step->set_step(metrics.update.unit.step.value());
  step->set_slot(static_cast<uint32_t>(metrics.update.unit.slot.value()));
  step->set_version(metrics.update.version.value());
  step->set_rate(metrics.update.rate);
  for (size_t stream = 0; stream < streams.size(); ++stream) {
    SetStream(metrics, stream, streams[stream].kind, step);
  }
  step->set_gradient_norm(metrics.update.gradient_norm.value_or(0));
  step->set_attack_staleness(metrics.update.attack_staleness);
  step->set_update_staleness(metrics.update.update_staleness);
  if (const auto cosine = metrics.update.attack_cosine; cosine.has_value()) {
    step->set_attack_cosine(*cosine);
  }
  step->set_seconds(metrics.seconds);
  return out;
}

}  // namespace conadv
