// SPDX-License-Identifier: Apache-2.0
#include "server/shard_run.h"

#include <unistd.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_format.h"
#include "common/base/status_macros.h"

namespace conadv {
namespace {

// Contributions in flight beyond those that wait in trees: pushes of many workers that arrive at
// once.
constexpr uint64_t kContributionsInFlight = 32;
// Bytes of memory that this machine has.
uint64_t PhysicalBytes() {
  return static_cast<uint64_t>(sysconf(_SC_PHYS_PAGES)) *
         static_cast<uint64_t>(sysconf(_SC_PAGE_SIZE));
}

// A plan comes from a peer: what it would make us allocate has to be there.
absl::Status CheckMemory(const Job& job, uint32_t shard, const Layout& layout) {
  const double arena_bytes = 4.0 * static_cast<double>(layout.arena_size(shard));
  const double needed = (job.server.retain + 2) * arena_bytes;
  const auto there = static_cast<double>(PhysicalBytes());
  if (needed <= there) return absl::OkStatus();
  return absl::ResourceExhaustedError(
      absl::StrFormat("shard %d would keep %d versions of %.1f GiB, but this machine has %.1f GiB; "
                      "use more shards or a lower server.retain",
                      shard, job.server.retain + 2, arena_bytes / (1 << 30), there / (1 << 30)));
}

}  // namespace

absl::StatusOr<ShardRun> MakeShardRun(const Job& job, uint32_t shard, uint32_t shards,
                                      const Plan& plan) {
  if (plan.steps == 0) return absl::InvalidArgumentError("plan.steps: must be at least 1, got 0");
  CONADV_ASSIGN_OR_RETURN(Layout layout, Layout::Create(plan.tensors, shards));
  CONADV_RETURN_IF_ERROR(CheckMemory(job, shard, layout));
  ShardRun run{plan, std::move(layout), Version(plan.steps * job.training.updates_per_step())};
  const uint64_t streams = job.training.attacks() ? 2 : 1;
  run.contribution_size =
      std::max(run.layout.stream_range(shard, GradientStream::kClean).size(),
               run.layout.stream_range(shard, GradientStream::kAdversarial).size());
  run.most_openings = job.training.slots + kContributionsInFlight;
  run.most_contributions = streams * run.most_openings;
  return run;
}

}  // namespace conadv
