// SPDX-License-Identifier: Apache-2.0
#include "server/shard/shard_run.h"

#include <glog/logging.h>

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_format.h"
#include "common/base/status_macros.h"
#include "common/os/file.h"
#include "common/plan/tensor_rules.h"
#include "common/protocol/tau_schedule.h"
#include "server/optimize/state_bytes.h"
#include "server/shard/machine_memory.h"
#include "server/shard/memory.h"

namespace conadv {
namespace {

// Pushes of one stream that arrive at once, where that costs nothing, and where it does.
constexpr uint64_t kMostArriving = 32;
constexpr uint64_t kFewArriving = 4;
// What contributions may always take: no person plans for it.
constexpr uint64_t kFreeBytes = uint64_t{64} << 20;
// Of one stream, beyond any room, for what others wait for, while another worker's push of it does
// not come to its end. Where it is one unit of all, the room has no place for the first either.
constexpr uint64_t kForSecond = 1;
constexpr uint64_t kForAwaited = 2;

// ⌈log2(slots)⌉ + 1: the levels of a tree.
uint64_t LevelsOf(uint32_t slots) {
  uint64_t levels = 1;
  for (uint64_t width = 1; width < slots; width *= 2) ++levels;
  return levels;
}

// A plan comes from a peer: what it would make us allocate has to be there.
absl::Status CheckMemory(const Job& job, uint32_t shard, const ShardRun& run) {
  const size_t arena_size = run.layout.arena_size(shard);
  const MachineMemory machine = ReadMachineMemory(FileSystem::Real());
  const uint32_t versions = job.server.retain + 2;
  const double arena_bytes = sizeof(float) * static_cast<double>(arena_size);
  const std::string what = absl::StrFormat(
      "shard %d, %d versions of %.1f GiB and what comes with "
      "them,",
      shard, versions, arena_bytes / (1 << 30));
  // First what may be far too much to count exactly.
  absl::Status fits = CheckFits(what, versions * arena_bytes, machine);
  if (fits.ok()) {
    const MemoryLimit limit = MemoryLimitOf(job, run, arena_size * sizeof(float),
                                            StateBytesOf(job.optimizer, arena_size));
    fits = CheckFits(what, static_cast<double>(limit.total()), machine);
  }
  return fits;
}

}  // namespace

ContributionRoom ContributionRoomOf(const TrainingOptions& training, uint64_t streams,
                                    uint64_t bytes) {
  const uint64_t free = kFreeBytes / std::max<uint64_t>(bytes, 1);
  const uint64_t most = streams * (training.slots + kMostArriving);
  const uint64_t climbing = streams * (training.sync() ? LevelsOf(training.slots) : kFewArriving);
  uint64_t few = climbing + streams * kFewArriving;
  // No more than a step has: there is nothing to send away.
  if (training.sync()) few = std::min(few, streams * training.slots);
  const uint64_t openings = std::clamp(free, few, most);
  // In SYNC the slots in order may fill the trees once more. Else units that are completed come and
  // go.
  const bool whole_step = training.sync() && openings >= streams * training.slots;
  const uint64_t freeing = openings + (whole_step ? 0 : climbing);
  if (training.sync()) {
    const uint64_t all = freeing + streams * kForSecond;
    return {openings, all, all};
  }
  return {openings, freeing, freeing + streams * kForAwaited};
}

uint64_t MappedVersionsOf(const TrainingOptions& training, uint32_t retain) {
  constexpr uint64_t kOthers = 2;
  constexpr uint64_t kWorkers = 4;
  uint64_t kept = training.versions_back() + 2;
  // A worker has room for as many as may be set.
  if (training.sync() && training.algorithm == Algorithm::kConAdv) {
    kept = std::max<uint64_t>(kept, std::min<uint32_t>(retain, kMostTau + 2));
  }
  return training.sync() ? kept + kOthers : std::min<uint64_t>(retain, kWorkers * kept);
}

absl::StatusOr<ShardRun> MakeShardRun(const Job& job, GradientStreams streams, uint32_t shard,
                                      uint32_t shards, const Plan& plan, bool mapped) {
  if (plan.steps == 0) return absl::InvalidArgumentError("plan.steps: must be at least 1, got 0");
  CONADV_RETURN_IF_ERROR(CheckTensorRules(job.optimizer, plan.tensors));
  CONADV_ASSIGN_OR_RETURN(Layout layout, Layout::Create(plan.tensors, shards));
  ShardRun run{plan,
               std::move(layout),
               std::move(streams),
               Version(plan.steps * job.training.updates_per_step()),
               0,
               {}};
  for (const GradientStream& stream : run.streams) {
    run.contribution_size =
        std::max(run.contribution_size, RangeOf(run.layout, shard, stream).size());
  }
  run.room =
      ContributionRoomOf(job.training, run.streams.size(), run.contribution_size * sizeof(float));
  if (mapped) run.mapped_versions = MappedVersionsOf(job.training, job.server.retain);
  absl::Status fits = CheckMemory(job, shard, run);
  if (!fits.ok() && run.mapped_versions > 0) {
    run.mapped_versions = 0;
    fits = CheckMemory(job, shard, run);
    if (fits.ok()) {
      LOG(WARNING) << "there is no memory for versions that workers have mapped: they pull them "
                      "over the network";
    }
  }
  CONADV_RETURN_IF_ERROR(fits);
  return run;
}

}  // namespace conadv
