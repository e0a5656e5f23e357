// SPDX-License-Identifier: Apache-2.0
// How much each worker holds, and so who gets the next unit. Workers are kept in order of their
// load and of their turn: an event costs the same with two workers as with thousands, but for a
// logarithm. Pure state; not thread-safe.
#ifndef CONADV_SERVER_LEASE_WORKER_LOADS_H_
#define CONADV_SERVER_LEASE_WORKER_LOADS_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>

#include "common/base/ids.h"
#include "common/job/job.h"
#include "server/lease/lease_options.h"

namespace conadv {

class WorkerLoads {
 public:
  // A worker that holds nothing. REQUIRES: threads ≥ 1.
  void Add(MemberId id, uint32_t threads);
  void Remove(MemberId id);
  // The others do nothing for those who are not there.
  void Take(MemberId id) { Change(id, 1); }
  void GiveBack(MemberId id) { Change(id, -1); }
  void SetStraggles(MemberId id, bool straggles);
  bool empty() const { return workers_.empty(); }

  // SYNC: who gets the next unit that nobody had before: in turn, by threads, so that everyone has
  // the same part of each step, give or take one unit. By what they hold they would not: a step's
  // units become free as those of the step before are done, so whoever had two of that one would
  // get two again, for ever, while others wait for him. A worker that straggles gets none while
  // there is another. Nothing without workers.
  std::optional<MemberId> NextInTurn() const;
  // It got one.
  void EndTurn(MemberId id);
  // The worker with the least held for its threads, if it may hold more; ties go to the first to
  // join. Nothing if all are full. A worker that straggles gets none while there is another.
  // SYNC: it may hold its share, by threads, of all units in the window. Otherwise two for each
  // thread: one that is computed and one that is attacked meanwhile.
  std::optional<MemberId> Next(const TrainingOptions& training, const LeaseOptions& options) const;
  // The least loaded other than `not_this`, full or not; `not_this` if there is no other. Nothing
  // without workers.
  std::optional<MemberId> Another(MemberId not_this) const;
  // The least loaded that neither straggles nor holds the unit; nothing if there is none.
  std::optional<MemberId> Substitute(const std::set<MemberId>& holders) const;

 private:
  struct Load {
    MemberId id;
    uint64_t threads = 1;
    uint64_t held = 0;   // units
    uint64_t turns = 0;  // that it had, or that passed before it came
    bool straggles = false;
  };
  struct LessLoaded {
    bool operator()(const Load& a, const Load& b) const;
  };
  struct FewerTurns {
    bool operator()(const Load& a, const Load& b) const;
  };
  using Order = std::set<Load, LessLoaded>;
  using Turns = std::set<Load, FewerTurns>;

  void Change(MemberId id, int by);
  void Insert(const Load& load);
  void Erase(const Load& load);
  // Who comes, or comes back, has no more turns to make up for than the others.
  void CatchUp(Load* load) const;

  std::map<MemberId, Load> workers_;
  Order steady_;
  Order straggling_;
  Turns steady_turns_;
  Turns straggling_turns_;
  uint64_t threads_ = 0;  // of all
};

}  // namespace conadv

#endif  // CONADV_SERVER_LEASE_WORKER_LOADS_H_
