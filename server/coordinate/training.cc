// SPDX-License-Identifier: Apache-2.0
#include "server/coordinate/training.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "common/tensor/layout.h"

namespace conadv {

Training::Training(const Job* job, uint32_t shards, Membership* members)
    : job_(*job), shards_(shards), members_(members) {}

absl::Status Training::AcceptPlan(const std::optional<Plan>& plan) {
  if (!plan.has_value()) return absl::InvalidArgumentError("hello.plan: a worker needs one");
  if (plan_.has_value()) return CheckSamePlan(*plan_, *plan);
  CONADV_RETURN_IF_ERROR(Layout::Create(plan->tensors, shards_).status());
  const uint64_t steps = StepsOf(job_.training, plan->examples);
  if (plan->steps != steps) {
    return absl::InvalidArgumentError(absl::StrCat("plan.steps: the job has ", steps, " steps for ",
                                                   plan->examples, " examples, got ", plan->steps));
  }
  plan_ = plan;
  return absl::OkStatus();
}

Version Training::last_version() const {
  return Version(plan_->steps * job_.training.updates_per_step());
}

void Training::AddWorker(const Member& worker) {
  loads_.Add(worker.id, std::max(1U, worker.hello.threads));
}

void Training::Remove(MemberId id) {
  if (leases_.has_value()) counts_.taken_back += leases_->ReleaseAll(id);
  loads_.Remove(id);
}

void Training::Begin(const UnitLedger& done, absl::Time now) {
  lease_options_ = LeaseOptionsOf(job_, shards_, plan_->steps);
  leases_.emplace(lease_options_, done, job_.training.updates_per_step(), &loads_);
  began_ = now;
  oldest_ = leases_->oldest_unfinished();
  oldest_since_ = now;
  if (finished()) last_step_done_ = now;
}

void Training::OnDone(Member& worker, const std::vector<Unit>& units, absl::Time now) {
  for (const Unit& unit : units) {
    // Also if another was faster, or it was taken back: the worker works.
    if (!leases_->Answer(unit, worker.id)) continue;
    pace_.Add(now - std::max(worker.working_since, oldest_since_));
    worker.working_since = now;
    SetStraggles(worker, false);
    const bool first = leases_->MarkDone(unit);
    ++(first ? counts_.done : counts_.duplicates);
    if (!first) continue;
    failed_units_.erase(unit);
    ++worker.units_done;
  }
  if (leases_->oldest_unfinished() != oldest_) {
    oldest_ = leases_->oldest_unfinished();
    oldest_since_ = now;
  }
  if (finished() && !last_step_done_.has_value()) last_step_done_ = now;
}

absl::Status Training::OnFailed(Member& worker, const Unit& unit, const std::string& reason,
                                absl::Time now) {
  if (!leases_->Answer(unit, worker.id)) return absl::OkStatus();
  worker.working_since = now;
  SetStraggles(worker, false);
  ++counts_.failed;
  if (!leases_->Release(unit, worker.id)) return absl::OkStatus();
  if (failed_units_.emplace(unit, worker.id).second) return absl::OkStatus();
  return absl::AbortedError(
      absl::StrCat(unit.ToString(), " failed twice, so the run stops: ", reason));
}

void Training::Grant(absl::Time now, Actions* actions) {
  std::map<MemberId, std::vector<Unit>> grants;
  while (const std::optional<Unit> next = leases_->Next()) {
    const auto failed = failed_units_.find(*next);
    const bool in_turn = job_.training.sync() && !leases_->CameBack(*next);
    std::optional<MemberId> id;
    if (failed != failed_units_.end()) {
      id = loads_.Another(failed->second);
    } else {
      id = in_turn ? loads_.NextInTurn() : loads_.Next(job_.training, lease_options_);
    }
    // What everyone waits for is nobody's share: whoever is full of later steps waits for it too.
    if (!id.has_value() && job_.training.sync() && next->step == leases_->oldest_unfinished()) {
      id = loads_.Substitute({});
    }
    if (!id.has_value()) break;
    if (leases_->held_by(*id) == 0 || next->step == oldest_) {
      members_->Find(*id)->working_since = now;
    }
    grants[*id].push_back(*leases_->Lease(*id));
    ++counts_.leased;
    counts_.steps_ahead += next->step.value() - leases_->oldest_unfinished().value();
    if (in_turn) loads_.EndTurn(*id);
  }
  SendGrants(std::move(grants), actions);
}

void Training::SendGrants(std::map<MemberId, std::vector<Unit>> grants, Actions* actions) const {
  for (auto& [id, units] : grants) {
    actions->push_back(SendAction{id, GrantMessage{std::move(units)}});
  }
}

void Training::SetStraggles(Member& member, bool straggles) {
  member.straggles = straggles;
  loads_.SetStraggles(member.id, straggles);
}

absl::Duration Training::WaitFor(const Member& worker, bool awaited, absl::Time now) const {
  // It still owes what it was given, though others may have it by now.
  if (worker.straggles) return now - worker.working_since;
  return awaited ? now - std::max(worker.working_since, oldest_since_) : absl::ZeroDuration();
}

Training::Stragglers Training::FindStragglers(absl::Time now) {
  const absl::Duration patience = pace_.patience(job_.server.lease);
  const absl::Duration timeout = pace_.timeout(job_.server.unit_timeout);
  std::set<MemberId> awaited;
  for (const auto& [unit, holders] : leases_->leased_in(oldest_)) {
    awaited.insert(holders.begin(), holders.end());
  }
  Stragglers found;
  for (const MemberId id : members_->With(Role::kWorker)) {
    Member& worker = *members_->Find(id);
    const absl::Duration wait = WaitFor(worker, awaited.count(id) > 0, now);
    if (wait > timeout) found.stuck.push_back(id);
    if (wait <= patience) continue;
    found.any = true;
    if (worker.straggles) continue;
    SetStraggles(worker, true);
    // From now on it is not the step that counts but what it owes.
    worker.working_since = std::max(worker.working_since, oldest_since_);
    for (const Unit& unit : leases_->units_of(id)) {
      if (unit.step > oldest_ && leases_->Release(unit, id)) ++counts_.taken_back;
    }
  }
  return found;
}

void Training::Speculate(absl::Time now, Actions* actions) {
  std::map<MemberId, std::vector<Unit>> grants;
  for (const auto& [unit, holders] : leases_->leased_in(oldest_)) {
    const bool hopeless = std::all_of(holders.begin(), holders.end(), [this](MemberId id) {
      const Member* const holder = members_->Find(id);
      return holder == nullptr || holder->straggles;
    });
    const std::optional<MemberId> other = hopeless ? loads_.Substitute(holders) : std::nullopt;
    if (!other.has_value()) continue;
    members_->Find(*other)->working_since = now;
    if (!leases_->LeaseAlso(unit, *other)) continue;
    grants[*other].push_back(unit);
    ++counts_.leased;
  }
  SendGrants(std::move(grants), actions);
}

std::vector<Unit> Training::UnitsOf(MemberId id) const {
  return leases_.has_value() ? leases_->units_of(id) : std::vector<Unit>();
}

void Training::SetTau(const TauChanges& changes) {
  if (!job_.training.sync()) return;
  lease_options_.window = LargestTau(job_.training.tau, changes, oldest_) + 1;
  leases_->SetWindow(lease_options_.window);
}

absl::Duration Training::TimeTaken(absl::Time now) const {
  if (!began_.has_value()) return absl::ZeroDuration();
  return last_step_done_.value_or(now) - *began_;
}

}  // namespace conadv
