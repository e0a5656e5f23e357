// SPDX-License-Identifier: Apache-2.0
#include "server/lease/lease_table.h"

#include <algorithm>

namespace conadv {
namespace {

// A member that never answers for what others have done meanwhile does not fill the memory. What it
// holds is remembered besides.
constexpr size_t kMostUnanswered = 1 << 16;

}  // namespace

LeaseTable::LeaseTable(const LeaseOptions& options, const UnitLedger& done, uint32_t ledger_slots,
                       WorkerLoads* loads)
    : options_(options), loads_(loads) {
  // One index of the ledger is this many units.
  const uint64_t units = options.slots / ledger_slots;
  const auto unit_at = [&options](uint64_t index) {
    return Unit{Step(index / options.slots), Slot(index % options.slots)};
  };
  uint64_t next = done.prefix();
  for (const uint64_t ahead : done.ahead()) {
    for (; next < ahead; ++next) {
      for (uint64_t i = 0; i < units; ++i) returned_.insert(unit_at(next * units + i));
    }
    next = ahead + 1;
  }
  fresh_ = unit_at(next * units);
}

Unit LeaseTable::Successor(const Unit& unit) const {
  if (unit.slot.value() + 1 < options_.slots) return {unit.step, unit.slot + 1};
  return {unit.step + 1, Slot(0)};
}

Unit LeaseTable::OldestUnfinished() const {
  Unit oldest = fresh_;
  if (!returned_.empty()) oldest = std::min(oldest, *returned_.begin());
  if (!leases_.empty()) oldest = std::min(oldest, leases_.begin()->first);
  return oldest;
}

Step LeaseTable::oldest_unfinished() const { return OldestUnfinished().step; }

std::optional<Unit> LeaseTable::Next() const {
  const Unit next = returned_.empty() ? fresh_ : std::min(fresh_, *returned_.begin());
  if (next.step.value() >= options_.steps) return std::nullopt;
  if (end_.has_value() && next.step >= *end_) return std::nullopt;
  const Unit oldest = OldestUnfinished();
  if (next.step.Since(oldest.step) > options_.window) return std::nullopt;
  if (IndexOf(next) - IndexOf(oldest) > options_.window_units) return std::nullopt;
  return next;
}

std::optional<Unit> LeaseTable::Lease(MemberId member) {
  const std::optional<Unit> unit = Next();
  if (!unit.has_value()) return std::nullopt;
  if (*unit == fresh_) {
    fresh_ = Successor(fresh_);
  } else {
    returned_.erase(*unit);
  }
  leases_[*unit].insert(member);
  Hold(*unit, member);
  return unit;
}

void LeaseTable::Hold(const Unit& unit, MemberId member) {
  by_member_[member].insert(unit);
  std::set<Unit>& unanswered = unanswered_[member];
  unanswered.insert(unit);
  if (unanswered.size() > kMostUnanswered) unanswered.erase(unanswered.begin());
  if (loads_ != nullptr) loads_->Take(member);
}

bool LeaseTable::Answer(const Unit& unit, MemberId member) {
  const auto units = unanswered_.find(member);
  if (units != unanswered_.end() && units->second.erase(unit) > 0) return true;
  const auto lease = leases_.find(unit);
  return lease != leases_.end() && lease->second.count(member) > 0;
}

bool LeaseTable::LeaseAlso(const Unit& unit, MemberId member) {
  const auto lease = leases_.find(unit);
  if (lease == leases_.end() || !lease->second.insert(member).second) return false;
  Hold(unit, member);
  return true;
}

bool LeaseTable::MarkDone(const Unit& unit) {
  if (returned_.erase(unit) > 0) return true;
  const auto lease = leases_.find(unit);
  if (lease == leases_.end()) return false;
  for (const MemberId holder : lease->second) Forget(unit, holder);
  leases_.erase(lease);
  return true;
}

bool LeaseTable::Release(const Unit& unit, MemberId member) {
  const auto lease = leases_.find(unit);
  if (lease == leases_.end() || lease->second.erase(member) == 0) return false;
  Forget(unit, member);
  if (lease->second.empty()) {
    leases_.erase(lease);
    returned_.insert(unit);
  }
  return true;
}

void LeaseTable::Forget(const Unit& unit, MemberId member) {
  const auto holder = by_member_.find(member);
  holder->second.erase(unit);
  if (holder->second.empty()) by_member_.erase(holder);
  if (loads_ != nullptr) loads_->GiveBack(member);
}

size_t LeaseTable::ReleaseAll(MemberId member) {
  const std::vector<Unit> units = units_of(member);
  for (const Unit& unit : units) Release(unit, member);
  unanswered_.erase(member);
  return units.size();
}

size_t LeaseTable::held_by(MemberId member) const {
  const auto found = by_member_.find(member);
  return found == by_member_.end() ? 0 : found->second.size();
}

std::vector<std::pair<Unit, std::set<MemberId>>> LeaseTable::leased_in(Step step) const {
  return {leases_.lower_bound({step, Slot(0)}), leases_.lower_bound({step + 1, Slot(0)})};
}

std::vector<Unit> LeaseTable::units_of(MemberId member) const {
  const auto found = by_member_.find(member);
  if (found == by_member_.end()) return {};
  return {found->second.begin(), found->second.end()};
}

}  // namespace conadv
