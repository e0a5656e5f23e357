// SPDX-License-Identifier: Apache-2.0
// The coordinator's dealings with shards: they join, go back to one version together, and write
// checkpoints.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/status_macros.h"
#include "server/coordinate/coordinator.h"
#include "server/coordinate/restore_choice.h"

namespace conadv {
namespace {

// After so long without a new version the run counts as standing still.
constexpr absl::Duration kStill = absl::Seconds(1);

}  // namespace

absl::Status Coordinator::AcceptShard(const HelloMessage& hello) {
  if (hello.shard >= options_.shards || (hello.shard == 0) != hello.local) {
    return absl::InvalidArgumentError(
        absl::StrCat("shard ", hello.shard, " of ", hello.name, ": this run has shards 0 to ",
                     options_.shards - 1, ", and shard 0 is the coordinator's own"));
  }
  ShardEntry& shard = shards_[hello.shard];
  if (const auto former = members_.find(shard.member);
      former != members_.end() && shard.address != hello.address) {
    return RefuseRival(hello, former->second);
  }
  if (restoring_) {
    FailLocked(absl::UnavailableError(
        absl::StrCat("shard ", hello.shard, " at ", hello.address,
                     " started again; the run goes back to its newest checkpoint")));
    return failure_;
  }
  if (const auto former = members_.find(shard.member); former != members_.end()) {
    former->second.sink->Close(absl::UnavailableError("the same shard joined again"));
    Remove(former->first);
  }
  shard.address = hello.address;
  shard.checkpoints = hello.checkpoints;
  return absl::OkStatus();
}

// An address is one process's, so at the same one it is a new process, and the former is gone. At
// another one the former may be gone too without anyone knowing yet: once it has been heard again,
// it is not.
absl::Status Coordinator::RefuseRival(const HelloMessage& hello, const Member& former) {
  ShardEntry& shard = shards_[hello.shard];
  const std::string what =
      absl::StrCat("shard ", hello.shard, " is already served by ", former.hello.name, " at ",
                   shard.address, ", heard ", absl::FormatDuration(clock_->Now() - former.heard),
                   " ago; so ", hello.name, " at ", hello.address);
  if (shard.rival == hello.address && shard.outlives_rival) {
    return absl::InvalidArgumentError(
        absl::StrCat(what, " is refused: stop the first, or give this one another --shard"));
  }
  if (std::exchange(shard.rival, hello.address) != hello.address) shard.outlives_rival = false;
  return absl::UnavailableError(absl::StrCat(what, " waits until it is gone, or heard again"));
}

absl::Status Coordinator::CheckServers(const HelloMessage& hello) const {
  if (hello.shards != 0 && hello.shards != options_.shards) {
    return absl::InvalidArgumentError(
        absl::StrCat(hello.name, " was told of ", hello.shards,
                     " shards (--shards, --servers), but this run has ", options_.shards));
  }
  if (hello.servers.empty()) return absl::OkStatus();
  if (hello.servers.size() != options_.shards) {
    return absl::InvalidArgumentError(
        absl::StrCat(hello.name, " was told of ", hello.servers.size(),
                     " servers (--servers), but this run has ", options_.shards));
  }
  for (uint32_t shard = 0; shard < options_.shards; ++shard) {
    const std::string& address = shards_[shard].address;
    if (address.empty() || address == hello.servers[shard]) continue;
    return absl::InvalidArgumentError(absl::StrCat(hello.name, " was told that shard ", shard,
                                                   " is at ", hello.servers[shard],
                                                   " (--servers), but it is at ", address));
  }
  return absl::OkStatus();
}

void Coordinator::BeginRestore() {
  if (restoring_) return;
  restoring_ = true;
  std::vector<CheckpointReport> reports;
  for (ShardEntry& shard : shards_) reports.push_back(std::exchange(shard.checkpoints, {}));
  RestoreChoice choice = ChooseRestore(reports, options_.begin_anew);
  if (!choice.refusal.ok()) return FailLocked(choice.refusal);
  written_ = std::move(choice.written);
  restore_target_ = choice.target;
  restore_warning_ = std::move(choice.warning);
  SendToShards(RestoreMessage{restore_target_});
}

void Coordinator::OnRestored(MemberId id, const absl::Status& status,
                             const std::optional<RunState>& state) {
  MutexLock lock(&mutex_);
  const auto member = members_.find(id);
  if (member == members_.end() || member->second.hello.role != Role::kShard || !restoring_) return;
  const uint32_t shard = member->second.hello.shard;
  if (!status.ok()) {
    const std::string what = absl::StrCat("shard ", shard, ": ", status.message());
    // A damaged checkpoint is set aside now: the next lineage begins with an older one.
    FailLocked(absl::IsDataLoss(status) ? absl::UnavailableError(what) : absl::AbortedError(what));
    return;
  }
  shards_[shard].restored = true;
  if (shard == 0) run_state_ = state;
  const bool all = std::all_of(shards_.begin(), shards_.end(),
                               [](const ShardEntry& entry) { return entry.restored; });
  if (all && !restored_) EndRestore();
  Advance();
}

void Coordinator::EndRestore() {
  restored_ = true;
  if (!restore_target_.has_value() || !run_state_.has_value()) return;
  // A worker that joined meanwhile may have come with another plan: it hears so when it joins
  // again.
  if (plan_.has_value() && !CheckSamePlan(run_state_->plan, *plan_).ok()) {
    std::vector<MemberId> workers;
    for (const auto& [id, member] : members_) {
      if (member.hello.role == Role::kWorker) workers.push_back(id);
    }
    for (const MemberId id : workers) {
      members_[id].sink->Close(absl::UnavailableError("the run goes on from a checkpoint"));
      Remove(id);
    }
  }
  plan_ = std::move(run_state_->plan);
  BeginTraining(run_state_->applied, run_state_->version);
  run_state_.reset();
}

void Coordinator::OnCheckpointed(MemberId id, const CheckpointAnswer& answer) {
  MutexLock lock(&mutex_);
  const auto member = members_.find(id);
  if (member == members_.end() || member->second.hello.role != Role::kShard) return;
  const uint32_t shard = member->second.hello.shard;
  if (!answer.missed) shards_[shard].checkpoint_error = answer.error;
  checkpoints_.OnAnswer(shard, answer);
  AskForCheckpoint();
  Advance();
}

void Coordinator::AskForCheckpoint() {
  const std::optional<Version> target = checkpoints_.Next(latest_, clock_->Now());
  if (target.has_value()) SendToShards(CheckpointMessage{*target, checkpoints_.common()});
}

bool Coordinator::Save() {
  MutexLock lock(&mutex_);
  if (!failure_.ok() || !initialized_ || leases_->finished()) return true;
  const absl::Time now = clock_->Now();
  // Where steps take long, or nobody makes any, what there is at rest is saved at once.
  const bool moves = FirstOf(Role::kWorker) != nullptr && now - latest_since_ < kStill;
  const std::optional<Version> target = checkpoints_.Save(latest_, moves, now);
  if (target.has_value()) SendToShards(CheckpointMessage{*target, checkpoints_.common()});
  return checkpoints_.saved();
}

bool Coordinator::LastCheckpointOver() {
  if (checkpoints_.last_answered() || !hanging_disks_.empty()) return true;
  const absl::Duration patience = std::max(options_.checkpoint_patience, 4 * checkpoints_.took());
  if (clock_->Now() - *last_step_done_ < patience) return false;
  hanging_disks_ = checkpoints_.last_unanswered();
  return true;
}

void Coordinator::SendToShards(const MemberMessage& message) {
  for (const ShardEntry& shard : shards_) {
    const auto member = members_.find(shard.member);
    if (member != members_.end()) member->second.sink->Send(message);
  }
}

absl::StatusOr<std::vector<std::string>> Coordinator::Servers() const {
  MutexLock lock(&mutex_);
  if (!failure_.ok()) return failure_;
  const std::vector<uint32_t> missing = MissingShards();
  if (!missing.empty()) {
    return absl::UnavailableError(
        absl::StrCat("waiting for shards ", absl::StrJoin(missing, ", "), " to join"));
  }
  std::vector<std::string> addresses;
  for (const ShardEntry& shard : shards_) addresses.push_back(shard.address);
  return addresses;
}

std::vector<uint32_t> Coordinator::MissingShards() const {
  std::vector<uint32_t> missing;
  for (uint32_t shard = 0; shard < shards_.size(); ++shard) {
    if (shards_[shard].address.empty()) missing.push_back(shard);
  }
  return missing;
}

}  // namespace conadv
