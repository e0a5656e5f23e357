// SPDX-License-Identifier: Apache-2.0
// Who computes which unit. Units are leased in order, those that came back first; a unit that is
// done is never leased again. Pure state, no clock: leases end when their holder does. Not
// thread-safe.
#ifndef CONADV_SERVER_COORDINATE_LEASE_TABLE_H_
#define CONADV_SERVER_COORDINATE_LEASE_TABLE_H_

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "common/base/ids.h"

namespace conadv {

struct LeaseOptions {
  uint64_t steps = 1;
  uint32_t slots = 1;
  // A unit of step t may be leased while t ≤ oldest unfinished step + window.
  uint64_t window = 0;
};

class LeaseTable {
 public:
  explicit LeaseTable(const LeaseOptions& options) : options_(options) {}

  // The next unit, leased to `member`; nothing while none may be leased.
  std::optional<Unit> Lease(MemberId member);
  // What Lease would lease.
  std::optional<Unit> Next() const;

  // True if the unit was not done before, whoever held it.
  bool MarkDone(const Unit& unit);
  // The member's unit goes back. False if it does not hold it.
  bool Release(const Unit& unit, MemberId member);
  // All of a member's units go back; how many.
  size_t ReleaseAll(MemberId member);

  // The step of the first unit that is not done; options.steps when all are.
  Step oldest_unfinished() const;
  bool finished() const { return oldest_unfinished().value() == options_.steps; }
  size_t held_by(MemberId member) const;
  std::vector<Unit> units_of(MemberId member) const;

 private:
  Unit Successor(const Unit& unit) const;

  const LeaseOptions options_;
  Unit fresh_;  // the first unit that was never leased
  std::set<Unit> returned_;
  std::map<Unit, MemberId> leases_;
  std::map<MemberId, std::set<Unit>> by_member_;
};

}  // namespace conadv

#endif  // CONADV_SERVER_COORDINATE_LEASE_TABLE_H_
