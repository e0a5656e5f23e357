// SPDX-License-Identifier: Apache-2.0
#include "server/agent/checkpointer.h"

#include <glog/logging.h>

#include <algorithm>
#include <future>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "common/job/same_job.h"
#include "common/plan/plan.h"
#include "server/checkpoint/checkpoint.h"
#include "server/checkpoint/retention.h"

namespace conadv {
namespace {

// No clock counts to infinity.
constexpr absl::Duration kLongestWait = absl::Minutes(1);

void Forget(Version version, StoredCheckpoints* stored) {
  auto& usable = stored->usable;
  usable.erase(std::remove_if(usable.begin(), usable.end(),
                              [version](const auto& id) { return id.version == version; }),
               usable.end());
  auto& refused = stored->refused;
  refused.erase(std::remove_if(refused.begin(), refused.end(),
                               [version](const auto& one) { return one.version == version; }),
                refused.end());
  auto& torn = stored->torn;
  torn.erase(std::remove(torn.begin(), torn.end(), version), torn.end());
}

}  // namespace

Checkpointer::Checkpointer(CheckpointerOptions options, const FileSystem* files, const Clock* clock)
    : options_(std::move(options)),
      files_(files),
      clock_(clock),
      writer_(1, ThreadPriority::kBackground),
      thread_(1) {}

void Checkpointer::SetListener(Listener listener) {
  MutexLock lock(&mutex_);
  listener_ = std::move(listener);
}

bool Checkpointer::Arm(Version version, std::vector<Version> common) {
  bool is_there = false;
  {
    MutexLock lock(&mutex_);
    common_ = std::move(common);
    is_there = state_.newest == version;
    if (!is_there && (!published_.has_value() || *published_ <= version)) {
      armed_ = version;
      return published_ == version;
    }
  }
  AnswerLater({version, absl::OkStatus(), /*missed=*/!is_there, absl::ZeroDuration()});
  return false;
}

void Checkpointer::AnswerLater(CheckpointOutcome outcome) {
  Submit([this, outcome = std::move(outcome)] { Tell(outcome); });
}

std::optional<Version> Checkpointer::TakePassed(Version version) {
  MutexLock lock(&mutex_);
  published_ = version;
  if (!armed_.has_value() || *armed_ >= version) return std::nullopt;
  return std::exchange(armed_, std::nullopt);
}

bool Checkpointer::IsDue(Version version, Version last) {
  MutexLock lock(&mutex_);
  const bool armed = armed_ == version;
  if (armed) armed_.reset();
  // What was just restored is there already.
  return state_.newest != version && (armed || version == Version(0) || version == last);
}

void Checkpointer::OnPublished(const Publication& publication) {
  const Version version = publication.weights.version;
  if (const auto passed = TakePassed(version); passed.has_value()) {
    AnswerLater({*passed, absl::OkStatus(), /*missed=*/true, absl::ZeroDuration()});
  }
  if (!IsDue(version, publication.run.last)) return;
  if (options_.owner.directory.empty()) {
    return AnswerLater({version, absl::FailedPreconditionError("there is no checkpoint directory"),
                        false, absl::ZeroDuration()});
  }
  // Only the last version's may come while another is being written. There is nothing left to hold
  // up, and no memory for a second copy.
  if (version == publication.run.last && !Flush(options_.patience)) {
    LOG(ERROR) << "checkpoint of version " << version << ": the one before is still being written";
    // At once: our thread is the one that hangs.
    return Tell({version, absl::DeadlineExceededError("its disk hangs"), false, options_.patience});
  }
  Submit([this, copy = copies_.Take(publication, options_.older_versions + 1)]() mutable {
    const CheckpointOutcome outcome = Write(*copy);
    copy.reset();
    const CheckpointRoom room =
        outcome.status.ok()
            ? MeasureRoom(*files_, options_.owner, outcome.version).value_or(CheckpointRoom())
            : CheckpointRoom();
    {
      MutexLock lock(&mutex_);
      state_.error = outcome.status;
      ++(outcome.status.ok() ? state_.written : state_.failed);
      if (outcome.status.ok()) {
        state_.newest = outcome.version;
        state_.written_at = clock_->Now();
        state_.took = outcome.took;
        state_.room = room;
      }
    }
    // Whoever hears it may ask for the next one.
    Tell(outcome);
  });
}

CheckpointOutcome Checkpointer::Write(const CheckpointCopy& copy) {
  const absl::Time begin = clock_->Now();
  ShardCheckpoint checkpoint = copy.View();
  checkpoint.job = options_.job_text;
  checkpoint.job_name = options_.job_name;
  {
    MutexLock lock(&mutex_);
    checkpoint.run = run_;
    checkpoint.lineage = lineage_;
  }
  const absl::StatusOr<CheckpointId> written = WriteInBackground(checkpoint, copy.layout());
  if (!written.ok()) {
    LOG(ERROR) << "checkpoint of version " << checkpoint.version << ": "
               << written.status().message();
    MutexLock lock(&mutex_);
    Forget(checkpoint.version, &stored_);  // what was in its place is gone too
  } else {
    Add(*written);
    Prune();
  }
  return {checkpoint.version, written.status(), false, clock_->Now() - begin};
}

absl::StatusOr<CheckpointId> Checkpointer::WriteInBackground(const ShardCheckpoint& checkpoint,
                                                             const Layout& layout) {
  std::promise<absl::StatusOr<CheckpointId>> written;
  writer_.Submit(
      [&] { written.set_value(WriteCheckpoint(*files_, options_.owner, checkpoint, layout)); });
  return written.get_future().get();
}

void Checkpointer::Add(const CheckpointId& id) {
  MutexLock lock(&mutex_);
  Forget(id.version, &stored_);
  stored_.usable.push_back(id);
}

void Checkpointer::Prune() {
  std::vector<Version> surplus;
  {
    MutexLock lock(&mutex_);
    surplus = Surplus(stored_.usable, {options_.keep, common_, lineage_, first_});
    surplus.insert(surplus.end(), stored_.torn.begin(), stored_.torn.end());
  }
  for (const Version version : surplus) {
    if (const absl::Status status = RemoveCheckpoint(*files_, options_.owner, version);
        !status.ok()) {
      LOG(WARNING) << "an old checkpoint stays: " << status.message();
      continue;
    }
    MutexLock lock(&mutex_);
    Forget(version, &stored_);
  }
}

absl::StatusOr<CheckpointReport> Checkpointer::Scan() {
  CheckpointReport report;
  report.directory = options_.owner.directory;
  if (report.directory.empty()) return report;
  CONADV_ASSIGN_OR_RETURN(StoredCheckpoints stored,
                          ScanCheckpoints(*files_, options_.owner, [this](absl::string_view job) {
                            return CheckSameJob(options_.job_text, job, options_.owner.directory);
                          }));
  report.usable = stored.usable;
  report.refused = stored.refused;
  report.refused.insert(report.refused.end(), stored.aside.begin(), stored.aside.end());
  MutexLock lock(&mutex_);
  stored_ = std::move(stored);
  return report;
}

void Checkpointer::Restore(const Beginning& beginning, Shard* shard, Restored done) {
  Submit([this, beginning, shard, done = std::move(done)] { done(RestoreNow(beginning, shard)); });
}

absl::StatusOr<UnitLedger> Checkpointer::RestoreNow(const Beginning& beginning, Shard* shard) {
  const std::optional<CheckpointId>& target = beginning.target;
  const Lineage run = target.has_value() ? target->run : beginning.lineage;
  UnitLedger ledger(shard->job().training.updates_per_step(), Step(0));
  if (options_.owner.directory.empty()) {
    if (target.has_value()) return absl::InternalError("there is no checkpoint directory");
  } else if (target.has_value()) {
    absl::StatusOr<UnitLedger> installed = Install(*target, shard);
    if (absl::IsNotFound(installed.status()) || absl::IsDataLoss(installed.status())) {
      const std::string what(installed.status().message());
      CONADV_RETURN_IF_ERROR(MoveAside(target->version, what));
      return absl::DataLossError(what);
    }
    CONADV_RETURN_IF_ERROR(installed.status());
    ledger = *std::move(installed);
    CONADV_RETURN_IF_ERROR(SetOthersAside(run));
  } else {
    CONADV_RETURN_IF_ERROR(BeginAnew());
  }
  MutexLock lock(&mutex_);
  run_ = run;
  lineage_ = beginning.lineage;
  first_ = target.has_value() ? target->version : Version(0);
  return ledger;
}

absl::StatusOr<UnitLedger> Checkpointer::Install(const CheckpointId& target, Shard* shard) {
  CONADV_ASSIGN_OR_RETURN(const RestoredCheckpoint checkpoint,
                          ReadCheckpoint(*files_, options_.owner, target.version));
  if (checkpoint.id != target) {
    return absl::FailedPreconditionError(
        absl::StrCat("the checkpoint in ", ShardPath(options_.owner, target.version), " is ",
                     ToText(checkpoint.id), ", where the run goes on from ", ToText(target)));
  }
  CONADV_ASSIGN_OR_RETURN(const Plan plan, ParsePlanBytes(checkpoint.plan));
  {
    MutexLock lock(&mutex_);
    state_.newest = target.version;
  }
  CONADV_RETURN_IF_ERROR(shard->Restore(checkpoint, plan));
  return UnitLedger(shard->job().training.updates_per_step(), checkpoint.applied_prefix,
                    checkpoint.applied_ahead);
}

// Initial weights alone are made again to the same bits: what the run writes takes their place.
absl::Status Checkpointer::BeginAnew() {
  std::vector<Version> versions;
  {
    MutexLock lock(&mutex_);
    for (const CheckpointId& id : stored_.usable) versions.push_back(id.version);
    for (const RefusedCheckpoint& one : stored_.refused) versions.push_back(one.version);
  }
  for (const Version version : versions) {
    if (version == Version(0)) continue;
    CONADV_RETURN_IF_ERROR(MoveAside(version, "the run began anew"));
  }
  return absl::OkStatus();
}

absl::Status Checkpointer::SetOthersAside(Lineage run) {
  std::vector<RefusedCheckpoint> others;
  {
    MutexLock lock(&mutex_);
    others = stored_.refused;
    for (const CheckpointId& id : stored_.usable) {
      if (id.run != run)
        others.push_back({id.version, absl::StrCat("of another run: ", ToText(id))});
    }
  }
  for (const RefusedCheckpoint& other : others) {
    CONADV_RETURN_IF_ERROR(MoveAside(other.version, other.reason));
  }
  return absl::OkStatus();
}

absl::Status Checkpointer::MoveAside(Version version, absl::string_view reason) {
  CONADV_ASSIGN_OR_RETURN(const std::string to, SetAside(*files_, options_.owner, version, reason));
  LOG(WARNING) << "the checkpoint of version " << version << " was set aside as " << to << ": "
               << reason;
  MutexLock lock(&mutex_);
  Forget(version, &stored_);
  return absl::OkStatus();
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
  Listener listener;
  {
    MutexLock lock(&mutex_);
    listener = listener_;
  }
  if (listener != nullptr) listener(outcome);
}

bool Checkpointer::Flush(absl::Duration patience) {
  const absl::Time until = clock_->Now() + patience;
  MutexLock lock(&mutex_);
  while (tasks_ > 0) {
    const absl::Duration left = until - clock_->Now();
    if (left <= absl::ZeroDuration()) return false;
    idle_.WaitFor(&mutex_, std::min(left, kLongestWait));
  }
  return true;
}

CheckpointReport Checkpointer::Stored() const {
  MutexLock lock(&mutex_);
  CheckpointReport report{options_.owner.directory, stored_.usable, stored_.refused};
  report.refused.insert(report.refused.end(), stored_.aside.begin(), stored_.aside.end());
  return report;
}

Checkpointer::State Checkpointer::state() const {
  MutexLock lock(&mutex_);
  State state = state_;
  state.copied_bytes = copies_.bytes();
  return state;
}

}  // namespace conadv
