// SPDX-License-Identifier: Apache-2.0
// How far ahead units are leased. A plain value, and the pure function that makes it.
#ifndef CONADV_SERVER_LEASE_LEASE_OPTIONS_H_
#define CONADV_SERVER_LEASE_LEASE_OPTIONS_H_

#include <cstdint>
#include <limits>

#include "common/job/job.h"

namespace conadv {

struct LeaseOptions {
  uint64_t steps = 1;
  uint32_t slots = 1;
  // A unit of step t may be leased while t ≤ oldest unfinished step + window.
  uint64_t window = 0;
  // Nor one that lies more than so many units after the oldest unfinished.
  uint64_t window_units = std::numeric_limits<uint64_t>::max();
};

// SYNC: τ + 1 steps ahead, so that attacks are made with weights that exist while a grant never
// waits for a message. SSP: the bound. ASYNC: no bound. Without SYNC a shard may have to wait for a
// unit while shard 0 goes on; nobody could compute that unit any more once no version is left that
// both keep. So with several shards units are leased only so far ahead that one is
// (server.retain).
LeaseOptions LeaseOptionsOf(const Job& job, uint32_t shards, uint64_t steps);

}  // namespace conadv

#endif  // CONADV_SERVER_LEASE_LEASE_OPTIONS_H_
