// SPDX-License-Identifier: Apache-2.0
// How many units a worker may hold, and who gets the next one. Pure functions.
#ifndef CONADV_SERVER_COORDINATE_GRANT_H_
#define CONADV_SERVER_COORDINATE_GRANT_H_

#include <cstdint>
#include <optional>
#include <set>
#include <vector>

#include "common/base/ids.h"
#include "common/job/job.h"
#include "server/coordinate/lease_table.h"

namespace conadv {

struct WorkerLoad {
  MemberId id;
  uint32_t threads = 1;
  size_t held = 0;  // units
  bool straggles = false;
};

// SYNC: τ + 1 steps ahead, so that attacks are made with weights that exist while a grant never
// waits for a message. SSP: the bound. ASYNC: no bound. Without SYNC a shard may have to wait for a
// unit while shard 0 goes on; nobody could compute that unit any more once no version is left that
// both keep. So with several shards units are leased only so far ahead that one is
// (server.retain).
LeaseOptions LeaseOptionsOf(const Job& job, uint32_t shards, uint64_t steps);

// The most units that one of `workers` may hold. SYNC: its share, by threads, of all units in the
// window. Otherwise two for each thread: one that is computed and one that is attacked meanwhile.
size_t MostHeld(const TrainingOptions& training, const LeaseOptions& options,
                const std::vector<WorkerLoad>& workers, const WorkerLoad& worker);

// The worker with the least held for its threads, among those below their most; ties go to the
// first to join. A worker that straggles gets none while there is another. Nothing if all are full.
// REQUIRES: `workers` by rising id.
std::optional<MemberId> NextWorker(const TrainingOptions& training, const LeaseOptions& options,
                                   const std::vector<WorkerLoad>& workers);

// The least loaded worker other than `not_this`, full or not; `not_this` if there is no other.
// Nothing without workers.
std::optional<MemberId> AnotherWorker(const std::vector<WorkerLoad>& workers, MemberId not_this);

// The least loaded worker that neither straggles nor holds the unit; nothing if there is none.
std::optional<MemberId> Substitute(const std::vector<WorkerLoad>& workers,
                                   const std::set<MemberId>& holders);

}  // namespace conadv

#endif  // CONADV_SERVER_COORDINATE_GRANT_H_
