// SPDX-License-Identifier: Apache-2.0
// The coordinator's look at its members: who is silent, who straggles, who is stuck.
#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/coordinate/coordinator.h"

namespace conadv {

void Coordinator::Tick() {
  MutexLock lock(&mutex_);
  const absl::Time now = clock_->Now();
  const absl::Duration away = now - last_tick_;
  if (away > options_.job.server.lease / 2) Forgive(away, now);
  last_tick_ = now;
  DropSilent(now);
  LookAtShards(now);
  LookAtPace(now);
  LookAtEvaluator(now);
  Advance();
}

void Coordinator::Forgive(absl::Duration away, absl::Time now) {
  for (auto& [id, member] : members_) {
    member.heard = std::min(member.heard + away, now);
    member.turn = std::min(member.turn + away, now);
  }
}

void Coordinator::DropSilent(absl::Time now) {
  std::vector<MemberId> silent;
  for (auto& [id, member] : members_) {
    if (member.hello.local) member.heard = now;
    if (now - member.heard > options_.job.server.lease) silent.push_back(id);
  }
  for (const MemberId id : silent) {
    const auto found = members_.find(id);
    if (found == members_.end()) continue;
    found->second.sink->Close(absl::DeadlineExceededError(
        absl::StrCat("nothing heard for ", absl::FormatDuration(options_.job.server.lease))));
    Lose(id);
  }
}

// Since the worker could have finished something that the run waits for.
absl::Duration Coordinator::WaitOf(const Member& member, bool awaited, absl::Time now) const {
  // It still owes what it was given, though others may have it by now.
  if (member.straggles) return now - member.turn;
  return awaited ? now - std::max(member.turn, oldest_since_) : absl::ZeroDuration();
}

void Coordinator::LookAtPace(absl::Time now) {
  if (!leases_.has_value()) return;
  const absl::Duration patience = pace_.patience(options_.job.server.lease);
  const absl::Duration timeout = pace_.timeout(options_.job.server.unit_timeout);
  std::set<MemberId> awaited;
  for (const auto& [unit, holders] : leases_->leased_in(oldest_)) {
    awaited.insert(holders.begin(), holders.end());
  }
  std::vector<MemberId> stuck;
  bool straggles = false;
  for (const MemberId id : by_role_[Role::kWorker]) {
    Member& member = members_.at(id);
    const absl::Duration wait = WaitOf(member, awaited.count(id) > 0, now);
    if (wait > timeout) stuck.push_back(id);
    if (wait <= patience) continue;
    straggles = true;
    if (member.straggles) continue;
    SetStraggles(member, true);
    // From now on it is not the step that counts but what it owes.
    member.turn = std::max(member.turn, oldest_since_);
    TakeBack(member);
  }
  // Who waits for a shard is not to blame.
  if (LongestTask(now).second <= timeout / 2) EndStuck(stuck, timeout);
  if (straggles) Speculate();
}

std::pair<MemberId, absl::Duration> Coordinator::LongestTask(absl::Time now) {
  std::pair<MemberId, absl::Duration> longest;
  for (const MemberId id : by_role_[Role::kShard]) {
    const Member& shard = members_.at(id);
    if (shard.progress != 0 && now - shard.turn > longest.second) longest = {id, now - shard.turn};
  }
  return longest;
}

// Before any worker is taken for stuck that waits for it. A shard that was itself stopped, for less
// than a lease, gets the time to go on.
void Coordinator::LookAtShards(absl::Time now) {
  const absl::Duration timeout =
      std::max(pace_.timeout(options_.job.server.unit_timeout) / 2, 2 * options_.job.server.lease);
  const auto [id, time] = LongestTask(now);
  if (time <= timeout) return;
  const Member& shard = members_.at(id);
  const std::string what = absl::StrCat(
      "shard ", shard.hello.shard, " at ", shard.hello.address, " has been busy with one task for ",
      absl::FormatDuration(time), " (server.unit_timeout_seconds) and is stuck");
  shard.sink->Close(absl::AbortedError(absl::StrCat(what, "; start it anew")));
  Remove(id);
  FailLocked(absl::UnavailableError(absl::StrCat(what, "; the run goes back to a checkpoint")));
}

void Coordinator::TakeBack(Member& member) {
  for (const Unit& unit : leases_->units_of(member.id)) {
    if (unit.step > oldest_) leases_->Release(unit, member.id);
  }
}

void Coordinator::LookAtEvaluator(absl::Time now) {
  if (!evaluating_.has_value()) return;
  const auto evaluator = members_.find(*evaluating_);
  // It tells of each batch, which passes as often as the attack has steps.
  const absl::Duration timeout =
      options_.job.server.unit_timeout +
      (options_.job.evaluation.attack_steps + 2) * pace_.timeout(absl::ZeroDuration());
  if (evaluator == members_.end() || now - evaluator->second.turn <= timeout) return;
  EndStuck({*evaluating_}, timeout);
  ++evaluators_stuck_;
}

void Coordinator::EndStuck(const std::vector<MemberId>& stuck, absl::Duration after) {
  for (const MemberId id : stuck) {
    members_[id].sink->Close(absl::AbortedError(
        absl::StrCat(members_[id].hello.name, " finishes nothing for ", absl::FormatDuration(after),
                     " (server.unit_timeout_seconds) and is stuck; start it anew")));
    Lose(id);
  }
}

// Each awaited unit all of whose holders straggle goes to one more worker.
void Coordinator::Speculate() {
  std::map<MemberId, std::vector<Unit>> grants;
  for (const auto& [unit, holders] : leases_->leased_in(oldest_)) {
    const bool hopeless = std::all_of(holders.begin(), holders.end(),
                                      [this](MemberId id) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
                                        const auto member = members_.find(id);
                                        return member == members_.end() || member->second.straggles;
                                      });
    const std::optional<MemberId> other = hopeless ? loads_.Substitute(holders) : std::nullopt;
    if (!other.has_value()) continue;
    members_[*other].turn = clock_->Now();
    if (leases_->LeaseAlso(unit, *other)) grants[*other].push_back(unit);
  }
  for (auto& [id, units] : grants) members_[id].sink->Send(GrantMessage{std::move(units)});
}

}  // namespace conadv
