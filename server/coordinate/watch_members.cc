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
  if (now - last_tick_ > options_.job.server.lease / 2) ForgiveAll(now);
  last_tick_ = now;
  DropSilent(now);
  LookAtPace(now);
  LookAtEvaluator(now);
  Advance();
}

void Coordinator::ForgiveAll(absl::Time now) {
  for (auto& [id, member] : members_) {
    member.heard = now;
    member.turn = now;
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
absl::Duration Coordinator::WaitOf(MemberId id, const Member& member, absl::Time now) const {
  if (member.hello.role != Role::kWorker || !leases_.has_value()) return absl::ZeroDuration();
  // It still owes what it was given, though others may have it by now.
  if (member.straggles) return now - member.turn;
  const auto leased = leases_->leased_in(oldest_);
  const bool awaited = std::any_of(leased.begin(), leased.end(),
                                   [id](const auto& lease) { return lease.second.count(id) > 0; });
  return awaited ? now - std::max(member.turn, oldest_since_) : absl::ZeroDuration();
}

void Coordinator::LookAtPace(absl::Time now) {
  const absl::Duration patience = pace_.patience(options_.job.server.lease);
  const absl::Duration timeout = pace_.timeout(options_.job.server.unit_timeout);
  std::vector<MemberId> stuck;
  bool straggles = false;
  for (auto& [id, member] : members_) {
    const absl::Duration wait = WaitOf(id, member, now);
    if (wait > timeout) stuck.push_back(id);
    if (wait <= patience) continue;
    straggles = true;
    if (std::exchange(member.straggles, true)) continue;
    // From now on it is not the step that counts but what it owes.
    member.turn = std::max(member.turn, oldest_since_);
    TakeBack(member);
  }
  EndStuck(stuck, timeout);
  if (straggles) Speculate();
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
    const std::optional<MemberId> other = hopeless ? Substitute(Loads(), holders) : std::nullopt;
    if (!other.has_value()) continue;
    members_[*other].turn = clock_->Now();
    if (leases_->LeaseAlso(unit, *other)) grants[*other].push_back(unit);
  }
  for (auto& [id, units] : grants) members_[id].sink->Send(GrantMessage{std::move(units)});
}

}  // namespace conadv
