// SPDX-License-Identifier: Apache-2.0
// The most memory that one shard takes for a run, known before its first step. Pure functions.
#ifndef CONADV_SERVER_SHARD_MEMORY_H_
#define CONADV_SERVER_SHARD_MEMORY_H_

#include <cstdint>
#include <string>

#include "common/job/job.h"
#include "server/shard/shard_run.h"

namespace conadv {

struct MemoryLimit {
  uint64_t versions_bytes = 0;   // retained, read after their eviction, being made; averages too
  uint64_t optimizer_bytes = 0;  // state
  uint64_t contributions_bytes = 0;  // on their way, and waiting in trees
  uint64_t checkpoint_bytes = 0;     // while one is written: τ + 1 versions, the state, an average
  uint64_t mapped_bytes = 0;         // versions that processes of this machine have mapped
  uint64_t connections_bytes = 0;    // gRPC's, see ConnectionsQuota

  uint64_t total() const {
    return versions_bytes + optimizer_bytes + contributions_bytes + checkpoint_bytes +
           mapped_bytes + connections_bytes;
  }
  // "versions 10.0, optimizer 1.0, …", in MiB.
  std::string ToText() const;
};

// Calls at a time on one connection. Each may send ahead as much as a chunk has: more of them than
// a worker needs for its pushes is memory for whoever sends what nobody asked for.
inline constexpr int kMostCalls = 64;
// What gRPC is given for its connections, and for what peers have sent and nobody has taken: as
// many workers as a step has slots, that push chunks of this size, a few more peers, and strangers.
// Beyond it, calls are cut off.
uint64_t ConnectionsQuota(uint64_t workers, uint64_t chunk_bytes);
// Of it, what those who do as they should may have sent ahead of the calls that take it: a worker's
// pushes some chunks each, everybody else next to nothing.
uint64_t SentAheadBytes(uint64_t workers, uint64_t chunk_bytes);

// `arena_bytes` and `optimizer_bytes` are the shard's.
MemoryLimit MemoryLimitOf(const Job& job, const ShardRun& run, uint64_t arena_bytes,
                          uint64_t optimizer_bytes);

}  // namespace conadv

#endif  // CONADV_SERVER_SHARD_MEMORY_H_
