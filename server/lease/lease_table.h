// SPDX-License-Identifier: Apache-2.0
// Who computes which unit. Units are leased in order, those that came back first; a unit that is
// done is never leased again. A unit may have a second holder while the first straggles: whoever
// is done first, it is done. Pure state, no clock: leases end when their holder does. Not
// thread-safe.
#ifndef CONADV_SERVER_LEASE_LEASE_TABLE_H_
#define CONADV_SERVER_LEASE_LEASE_TABLE_H_

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "common/base/ids.h"
#include "common/base/unit_ledger.h"
#include "server/lease/lease_options.h"
#include "server/lease/worker_loads.h"

namespace conadv {

class LeaseTable {
 public:
  // `loads`, if there is one, is told of who holds more and less, and outlives the table.
  explicit LeaseTable(const LeaseOptions& options, WorkerLoads* loads = nullptr)
      : options_(options), loads_(loads) {}
  // Goes on where `done` stands, whose slots are those of the options, or 1: whole steps.
  LeaseTable(const LeaseOptions& options, const UnitLedger& done, uint32_t ledger_slots,
             WorkerLoads* loads = nullptr);

  // The next unit, leased to `member`; nothing while none may be leased.
  std::optional<Unit> Lease(MemberId member);
  // What Lease would lease.
  std::optional<Unit> Next() const;
  // Whether somebody had it before, and it came back.
  bool CameBack(const Unit& unit) const { return returned_.count(unit) > 0; }
  // SYNC: how far ahead of the oldest unfinished step from now on.
  void SetWindow(uint64_t window) { options_.window = window; }
  // No unit of this step or a later one is leased, until it is taken back with nothing. REQUIRES:
  // none is.
  void SetEnd(std::optional<Step> end) { end_ = end; }
  // The first step of which nobody has had a unit.
  Step untouched() const { return fresh_.slot == Slot(0) ? fresh_.step : fresh_.step + 1; }
  // One more holder. False if nobody holds the unit, or `member` does.
  bool LeaseAlso(const Unit& unit, MemberId member);

  // The member says what became of a unit. False if it was never leased to it, or it said so
  // before: then it does not count. A unit that was taken back, or that another has done, was.
  bool Answer(const Unit& unit, MemberId member);
  // True if the unit was not done before, whoever held it.
  bool MarkDone(const Unit& unit);
  // The member's unit goes back, unless someone else holds it too. False if it does not hold it.
  bool Release(const Unit& unit, MemberId member);
  // The member is gone: all of its units go back; how many.
  size_t ReleaseAll(MemberId member);

  // The step of the first unit that is not done; options.steps when all are.
  Step oldest_unfinished() const;
  bool finished() const { return oldest_unfinished().value() == options_.steps; }
  size_t held_by(MemberId member) const;
  std::vector<Unit> units_of(MemberId member) const;
  // The leased units of a step, with who holds them.
  std::vector<std::pair<Unit, std::set<MemberId>>> leased_in(Step step) const;

 private:
  Unit Successor(const Unit& unit) const;
  Unit OldestUnfinished() const;
  uint64_t IndexOf(const Unit& unit) const {
    return unit.step.value() * options_.slots + unit.slot.value();
  }
  void Hold(const Unit& unit, MemberId member);
  // The member holds the unit no more.
  void Forget(const Unit& unit, MemberId member);

  LeaseOptions options_;
  WorkerLoads* const loads_;
  std::optional<Step> end_;
  Unit fresh_;  // the first unit that was never leased
  std::set<Unit> returned_;
  std::map<Unit, std::set<MemberId>> leases_;
  std::map<MemberId, std::set<Unit>> by_member_;
  // What each was ever given and has not answered.
  std::map<MemberId, std::set<Unit>> unanswered_;
};

}  // namespace conadv

#endif  // CONADV_SERVER_LEASE_LEASE_TABLE_H_
