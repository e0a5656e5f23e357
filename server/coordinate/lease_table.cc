// SPDX-License-Identifier: Apache-2.0
#include "server/coordinate/lease_table.h"

#include <algorithm>

namespace conadv {

Unit LeaseTable::Successor(const Unit& unit) const {
  if (unit.slot.value() + 1 < options_.slots) return {unit.step, unit.slot + 1};
  return {unit.step + 1, Slot(0)};
}

Step LeaseTable::oldest_unfinished() const {
  Unit oldest = fresh_;
  if (!returned_.empty()) oldest = std::min(oldest, *returned_.begin());
  if (!leases_.empty()) oldest = std::min(oldest, leases_.begin()->first);
  return oldest.step;
}

std::optional<Unit> LeaseTable::Next() const {
  const Unit next = returned_.empty() ? fresh_ : std::min(fresh_, *returned_.begin());
  if (next.step.value() >= options_.steps) return std::nullopt;
  if (next.step.Since(oldest_unfinished()) > options_.window) return std::nullopt;
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
  leases_.emplace(*unit, member);
  by_member_[member].insert(*unit);
  return unit;
}

bool LeaseTable::MarkDone(const Unit& unit) {
  if (returned_.erase(unit) > 0) return true;
  const auto lease = leases_.find(unit);
  if (lease == leases_.end()) return false;
  const auto holder = by_member_.find(lease->second);
  holder->second.erase(unit);
  if (holder->second.empty()) by_member_.erase(holder);
  leases_.erase(lease);
  return true;
}

bool LeaseTable::Release(const Unit& unit, MemberId member) {
  const auto lease = leases_.find(unit);
  if (lease == leases_.end() || lease->second != member) return false;
  MarkDone(unit);
  returned_.insert(unit);
  return true;
}

size_t LeaseTable::ReleaseAll(MemberId member) {
  const std::vector<Unit> units = units_of(member);
  for (const Unit& unit : units) Release(unit, member);
  return units.size();
}

size_t LeaseTable::held_by(MemberId member) const {
  const auto found = by_member_.find(member);
  return found == by_member_.end() ? 0 : found->second.size();
}

std::vector<Unit> LeaseTable::units_of(MemberId member) const {
  const auto found = by_member_.find(member);
  if (found == by_member_.end()) return {};
  return {found->second.begin(), found->second.end()};
}

}  // namespace conadv
