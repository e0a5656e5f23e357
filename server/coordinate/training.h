// SPDX-License-Identifier: Apache-2.0
// The steps of a run: which worker computes which unit, who straggles, and who takes over. Pure
// state; not thread-safe.
#ifndef CONADV_SERVER_COORDINATE_TRAINING_H_
#define CONADV_SERVER_COORDINATE_TRAINING_H_

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/base/ids.h"
#include "common/base/unit_ledger.h"
#include "common/job/job.h"
#include "common/plan/plan.h"
#include "server/coordinate/event.h"
#include "server/coordinate/membership.h"
#include "server/coordinate/view.h"
#include "server/lease/lease_options.h"
#include "server/lease/lease_table.h"
#include "server/lease/pace.h"
#include "server/lease/worker_loads.h"

namespace conadv {

class Training {
 public:
  // Both outlive it.
  Training(const Job* job, uint32_t shards, Membership* members);
  Training(const Training&) = delete;
  Training& operator=(const Training&) = delete;

  // The run's plan is that of its first worker. INVALID_ARGUMENT: this one is another, or cannot be
  // run.
  absl::Status AcceptPlan(const std::optional<Plan>& plan);
  // nullptr before there is one.
  const Plan* plan() const { return plan_.has_value() ? &*plan_ : nullptr; }
  void SetPlan(std::optional<Plan> plan) { plan_ = std::move(plan); }
  // The last step's. REQUIRES: plan().
  Version last_version() const;

  void AddWorker(const Member& worker);
  // The member is gone: what it held goes to others.
  void Remove(MemberId id);
  // It keeps what it holds, and gets nothing more.
  void Drain(MemberId id) { loads_.Remove(id); }
  // Whether there are any that take units.
  bool has_workers() const { return !loads_.empty(); }

  // Training goes on where `done` stands. REQUIRES: plan().
  void Begin(const UnitLedger& done, absl::Time now);
  bool begun() const { return leases_.has_value(); }
  // REQUIRES, here and below: begun().
  bool finished() const { return leases_->finished(); }
  // What a worker says became of its units; anything else is not believed.
  void OnDone(Member& worker, const std::vector<Unit>& units, absl::Time now);
  // The unit goes to another worker. ABORTED: it has failed twice, and the run stops.
  absl::Status OnFailed(Member& worker, const Unit& unit, const std::string& reason,
                        absl::Time now);
  // What was set while the run went on.
  void SetTau(const TauChanges& changes);
  // No unit of this step or a later one is leased until it is taken back.
  void SetEnd(std::optional<conadv::Step> end) { leases_->SetEnd(end); }
  // The first step of which nobody has had a unit.
  conadv::Step untouched() const { return leases_->untouched(); }
  // Leases what may be leased.
  void Grant(absl::Time now, Actions* actions);

  struct Stragglers {
    bool any = false;
    std::vector<MemberId> stuck;  // those that have finished nothing for the pace's timeout
  };
  // Workers that take too long. What they hold of later steps goes back.
  Stragglers FindStragglers(absl::Time now);
  // Leases each unit of the oldest step all of whose holders straggle to one more worker.
  void Speculate(absl::Time now, Actions* actions);

  const Pace& pace() const { return pace_; }
  // The oldest that is not finished; the job's number of steps when all are. 0 before Begin.
  Step oldest() const { return oldest_; }
  const UnitCounts& counts() const { return counts_; }
  std::vector<Unit> UnitsOf(MemberId id) const;
  std::optional<absl::Time> last_step_done() const { return last_step_done_; }
  // From Begin to the last step, or until now.
  absl::Duration TimeTaken(absl::Time now) const;

 private:
  void SetStraggles(Member& member, bool straggles);
  void SendGrants(std::map<MemberId, std::vector<Unit>> grants, Actions* actions) const;
  // Since when the worker could have finished something that the run waits for.
  absl::Duration WaitFor(const Member& worker, bool awaited, absl::Time now) const;

  const Job& job_;
  const uint32_t shards_;
  Membership* const members_;
  std::optional<Plan> plan_;
  WorkerLoads loads_;
  LeaseOptions lease_options_;
  std::optional<LeaseTable> leases_;
  std::map<Unit, MemberId> failed_units_;  // failed once, and whose they were
  Pace pace_;
  UnitCounts counts_;
  Step oldest_;
  absl::Time oldest_since_;
  std::optional<absl::Time> began_;
  std::optional<absl::Time> last_step_done_;
};

}  // namespace conadv

#endif  // CONADV_SERVER_COORDINATE_TRAINING_H_
