// SPDX-License-Identifier: Apache-2.0
// Which units have been closed, each exactly once. Memory is bounded by how far units are closed
// out of order. Pure state; not thread-safe.
#ifndef CONADV_COMMON_BASE_UNIT_LEDGER_H_
#define CONADV_COMMON_BASE_UNIT_LEDGER_H_

#include <cstdint>
#include <set>
#include <utility>

#include "common/base/ids.h"

namespace conadv {

class UnitLedger {
 public:
  // Everything before (first, slot 0) counts as closed. REQUIRES: slots ≥ 1.
  UnitLedger(uint32_t slots, Step first) : slots_(slots), next_(first.value() * slots) {}

  bool Contains(const Unit& unit) const {
    const uint64_t index = IndexOf(unit);
    return index < next_ || ahead_.count(index) > 0;
  }
  // False if it was there already.
  bool Add(const Unit& unit) {
    const uint64_t index = IndexOf(unit);
    if (index < next_ || !ahead_.insert(index).second) return false;
    while (!ahead_.empty() && *ahead_.begin() == next_) {
      ahead_.erase(ahead_.begin());
      ++next_;
    }
    return true;
  }
  // From what prefix() and ahead() said. REQUIRES: every index in `ahead` is > prefix.
  UnitLedger(uint32_t slots, uint64_t prefix, std::set<uint64_t> ahead)
      : slots_(slots), next_(prefix), ahead_(std::move(ahead)) {}

  // Indices count units in order: step · slots + slot. Every index below prefix() is closed, and
  // those in ahead().
  uint64_t prefix() const { return next_; }
  const std::set<uint64_t>& ahead() const { return ahead_; }
  // The first unit that is not closed.
  Unit oldest_open() const { return {Step(next_ / slots_), Slot(next_ % slots_)}; }
  uint64_t closed() const { return next_ + ahead_.size(); }

 private:
  uint64_t IndexOf(const Unit& unit) const {
    return unit.step.value() * slots_ + unit.slot.value();
  }

  uint64_t slots_;
  uint64_t next_;             // every index below it is closed
  std::set<uint64_t> ahead_;  // closed indices above it
};

}  // namespace conadv

#endif  // CONADV_COMMON_BASE_UNIT_LEDGER_H_
