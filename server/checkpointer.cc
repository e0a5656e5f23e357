// SPDX-License-Identifier: Apache-2.0
#include "server/checkpointer.h"

#include <glog/logging.h>

#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "common/job/plan.h"
#include "common/job/same_job.h"
#include "server/checkpoint/checkpoint.h"
#include "server/checkpoint/retention.h"

namespace conadv {

// Everything a checkpoint needs, owned.
struct Checkpointer::Pending {
  Version version;
  std::string plan;
  Layout layout;
  std::vector<Snapshot> snapshots;  // by version; the last is the checkpoint's
  std::vector<std::pair<std::string, std::vector<float>>> states;
  UnitLedger applied;
};

Checkpointer::Checkpointer(CheckpointerOptions options, const FileSystem* files, const Clock* clock)
    : options_(std::move(options)), files_(files), clock_(clock), thread_(1) {}

void Checkpointer::Arm(Version version, std::vector<Version> common) {
  {
    MutexLock lock(&mutex_);
    common_ = std::move(common);
    if (!published_.has_value() || *published_ < version) {
      armed_ = version;
      return;
    }
  }
  Submit([this, version] {
    Tell({version, absl::OkStatus(), /*missed=*/true, absl::ZeroDuration()});
  });
}

bool Checkpointer::IsDue(Version version, Version last) {
  if (version.value() == 0 || version == last) return true;
  if (armed_ != version) return false;
  armed_.reset();
  return true;
}

void Checkpointer::OnPublished(const Publication& publication) {
  const Version version = publication.weights.version;
  {
    MutexLock lock(&mutex_);
    published_ = version;
    // What was just restored is there already.
    const bool restored = state_.newest == version;
    if (restored || !IsDue(version, publication.run.last)) return;
  }
  if (options_.owner.directory.empty()) {
    return Submit([this, version] {
      Tell({version, absl::FailedPreconditionError("there is no checkpoint directory"), false,
            absl::ZeroDuration()});
    });
  }
  // Only the last version's may come while another is being written. There is nothing left to hold
  // up, and no memory for a second copy.
  if (version == publication.run.last) Flush();
  auto pending = std::make_shared<Pending>(Pending{version,
                                                   PlanBytes(publication.run.plan),
                                                   publication.run.layout,
                                                   publication.store.Newest(options_.tau + 1),
                                                   {},
                                                   publication.applied});
  for (const Optimizer::StateTensor& state : publication.optimizer.state()) {
    pending->states.emplace_back(state.name,
                                 std::vector<float>(state.values.begin(), state.values.end()));
  }
  {
    MutexLock lock(&mutex_);
    state_.copied_bytes = publication.optimizer.state_bytes();
  }
  Submit([this, pending = std::move(pending)]() mutable {
    const CheckpointOutcome outcome = Write(*pending);
    pending.reset();
    {
      MutexLock lock(&mutex_);
      state_.error = outcome.status;
      if (outcome.status.ok()) state_.newest = outcome.version;
      state_.copied_bytes = 0;
    }
    // Whoever hears it may ask for the next one.
    Tell(outcome);
  });
}

CheckpointOutcome Checkpointer::Write(const Pending& pending) {
  const absl::Time begin = clock_->Now();
  ShardCheckpoint checkpoint;
  checkpoint.version = pending.version;
  for (const Snapshot& snapshot : pending.snapshots) {
    checkpoint.older.push_back({snapshot.version, snapshot.weights->span()});
  }
  checkpoint.weights = checkpoint.older.back().weights;
  checkpoint.older.pop_back();
  for (const auto& [name, values] : pending.states) checkpoint.states.push_back({name, values});
  checkpoint.applied_prefix = pending.applied.prefix();
  checkpoint.applied_ahead = pending.applied.ahead();
  checkpoint.plan = pending.plan;
  checkpoint.job = options_.job_text;
  checkpoint.job_name = options_.job_name;
  const absl::Status status = WriteCheckpoint(*files_, options_.owner, checkpoint, pending.layout);
  if (!status.ok()) {
    LOG(ERROR) << "checkpoint of version " << checkpoint.version << ": " << status.message();
  } else {
    Prune();
  }
  return {pending.version, status, false, clock_->Now() - begin};
}

void Checkpointer::Prune() {
  std::vector<Version> common;
  {
    MutexLock lock(&mutex_);
    common = common_;
  }
  const absl::Status status = PruneCheckpoints(*files_, options_.owner, options_.keep, common);
  if (!status.ok()) LOG(WARNING) << "old checkpoints stay: " << status.message();
}

absl::StatusOr<std::vector<Version>> Checkpointer::Complete() const {
  if (options_.owner.directory.empty()) return std::vector<Version>();
  return CompleteCheckpoints(*files_, options_.owner);
}

void Checkpointer::Restore(std::optional<Version> version, Shard* shard, Restored done) {
  Submit([this, version, shard, done = std::move(done)] { done(RestoreNow(version, shard)); });
}

absl::StatusOr<UnitLedger> Checkpointer::RestoreNow(std::optional<Version> version, Shard* shard) {
  const UnitLedger nothing(shard->job().training.updates_per_step(), Step(0));
  if (options_.owner.directory.empty()) {
    if (!version.has_value()) return nothing;
    return absl::InternalError("there is no checkpoint directory");
  }
  // What this run made after that version must not be mixed with what it will make.
  CONADV_RETURN_IF_ERROR(version.has_value()
                             ? RemoveCheckpointsAfter(*files_, options_.owner, *version)
                             : RemoveAllCheckpoints(*files_, options_.owner));
  if (!version.has_value()) return nothing;
  absl::StatusOr<UnitLedger> ledger = Install(*version, shard);
  if (absl::IsNotFound(ledger.status()) || absl::IsDataLoss(ledger.status())) {
    const std::string what(ledger.status().message());
    LOG(ERROR) << what << "; it is removed, and an older one used";
    CONADV_RETURN_IF_ERROR(RemoveCheckpoint(*files_, options_.owner, *version));
    return absl::DataLossError(what);
  }
  return ledger;
}

absl::StatusOr<UnitLedger> Checkpointer::Install(Version version, Shard* shard) {
  CONADV_ASSIGN_OR_RETURN(const RestoredCheckpoint checkpoint,
                          ReadCheckpoint(*files_, options_.owner, version));
  CONADV_RETURN_IF_ERROR(CheckSameJob(options_.job_text, checkpoint.job, options_.owner.directory));
  CONADV_ASSIGN_OR_RETURN(const Plan plan, ParsePlanBytes(checkpoint.plan));
  {
    MutexLock lock(&mutex_);
    state_.newest = version;
  }
  CONADV_RETURN_IF_ERROR(shard->Restore(checkpoint, plan));
  return UnitLedger(shard->job().training.updates_per_step(), checkpoint.applied_prefix,
                    checkpoint.applied_ahead);
}

void Checkpointer::Submit(std::function<void()> task) {
  {
    MutexLock lock(&mutex_);
    ++tasks_;
  }
  thread_.Submit([this, task = std::move(task)] {
    task();
    MutexLock lock(&mutex_);
    --tasks_;
    idle_.NotifyAll();
  });
}

void Checkpointer::Tell(const CheckpointOutcome& outcome) {
  if (listener_ != nullptr) listener_(outcome);
}

void Checkpointer::Flush() {
  MutexLock lock(&mutex_);
  while (tasks_ > 0) idle_.Wait(&mutex_);
}

Checkpointer::State Checkpointer::state() const {
  MutexLock lock(&mutex_);
  return state_;
}

}  // namespace conadv
