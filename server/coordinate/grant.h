// SPDX-License-Identifier: Apache-2.0
// How far ahead units are leased. A pure function.
#ifndef CONADV_SERVER_COORDINATE_GRANT_H_
#define CONADV_SERVER_COORDINATE_GRANT_H_

#include <cstdint>

#include "common/job/job.h"
#include "server/coordinate/lease_table.h"

namespace conadv {

// SYNC: τ + 1 steps ahead, so that attacks are made with weights that exist while a grant never
// waits for a message. SSP: the bound. ASYNC: no bound. Without SYNC a shard may have to wait for a
// unit while shard 0 goes on; nobody could compute that unit any more once no version is left that
// both keep. So with several shards units are leased only so far ahead that one is
// (server.retain).
LeaseOptions LeaseOptionsOf(const Job& job, uint32_t shards, uint64_t steps);

}  // namespace conadv

#endif  // CONADV_SERVER_COORDINATE_GRANT_H_
