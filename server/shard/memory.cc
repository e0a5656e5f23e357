// SPDX-License-Identifier: Apache-2.0
#include "server/shard/memory.h"

#include <algorithm>

#include "absl/strings/str_format.h"
#include "common/protocol/tau_schedule.h"
#include "common/wire/chunk.h"
#include "server/snapshot/readers.h"

namespace conadv {
namespace {

// Seen with gRPC 1.51, of 16, 64 and 128 workers: 160 to 220 KiB a connection, and what pushes
// of large models add: 1.7 MiB a worker of 64 with 4 MB each, 3.5 MiB of 16 with 16 MB.
constexpr uint64_t kConnectionBytes = 256 << 10;
constexpr uint64_t kConnectionChunks = 3;
// The evaluator's, other shards' and people's.
constexpr uint64_t kOtherConnections = 8;
// So that those who do as they should are not the first whom gRPC cuts off when somebody does not.
constexpr uint64_t kStrangersBytes = 32 << 20;
// Of requests that are larger than most, and of what was sent ahead of calls that have ended.
constexpr uint64_t kOthersAhead = 8 << 20;

double MiB(uint64_t bytes) { return static_cast<double>(bytes) / (1 << 20); }

}  // namespace

std::string MemoryLimit::ToText() const {
  return absl::StrFormat(
      "versions %.1f, optimizer %.1f, contributions %.1f, a checkpoint %.1f, "
      "mapped %.1f, connections %.1f",
      MiB(versions_bytes), MiB(optimizer_bytes), MiB(contributions_bytes), MiB(checkpoint_bytes),
      MiB(mapped_bytes), MiB(connections_bytes));
}

uint64_t ConnectionsQuota(uint64_t workers, uint64_t chunk_bytes) {
  return (workers + kOtherConnections) * kConnectionBytes +
         workers * kConnectionChunks * chunk_bytes + kStrangersBytes;
}

uint64_t SentAheadBytes(uint64_t workers, uint64_t chunk_bytes) {
  return workers * kConnectionChunks * chunk_bytes + kOthersAhead;
}

MemoryLimit MemoryLimitOf(const Job& job, const ShardRun& run, uint64_t arena_bytes,
                          uint64_t optimizer_bytes) {
  MemoryLimit limit;
  const uint64_t averages = job.optimizer.average.has_value() ? 1 : 0;
  // One is being made.
  const uint64_t versions = job.server.retain + 1 + ReaderOptions().most_versions;
  limit.versions_bytes = versions * (1 + averages) * arena_bytes;
  limit.optimizer_bytes = optimizer_bytes;
  limit.contributions_bytes = run.room.all * run.contribution_size * sizeof(float);
  limit.checkpoint_bytes = (MostVersionsBack(job) + 1 + averages) * arena_bytes + optimizer_bytes;
  limit.mapped_bytes = run.mapped_versions * arena_bytes;
  const uint64_t chunk_bytes = std::min<uint64_t>(kChunkBytes, arena_bytes);
  limit.connections_bytes = ConnectionsQuota(job.training.slots, chunk_bytes);
  return limit;
}

}  // namespace conadv
