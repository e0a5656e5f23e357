// SPDX-License-Identifier: Apache-2.0
// Writes, verifies and restores one shard's checkpoint of one version. No threads, no state:
// whoever calls has one writer a shard, and hands over arenas that nobody changes meanwhile.
#ifndef CONADV_SERVER_CHECKPOINT_CHECKPOINT_H_
#define CONADV_SERVER_CHECKPOINT_CHECKPOINT_H_

#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "common/base/ids.h"
#include "common/os/file.h"
#include "common/tensor/layout.h"
#include "common/tensor/safetensors.h"
#include "server/checkpoint/identity.h"
#include "server/checkpoint/paths.h"

namespace conadv {

// Arenas of the shard, as they are in memory. Points to what others own.
struct CheckpointState {
  std::string name;  // the optimizer's; none is "average" or begins with "version."
  absl::Span<const float> values;
};
struct CheckpointVersion {
  Version version;
  absl::Span<const float> weights;
};

struct ShardCheckpoint {
  Version version;
  Lineage run;                      // see CheckpointId
  Lineage lineage;                  // see CheckpointId
  absl::Span<const float> weights;  // θ of `version`
  absl::Span<const float> average;  // of the weights up to `version`; empty: the job keeps none
  std::vector<CheckpointState> states;
  std::vector<CheckpointVersion> older;  // retained versions that attacks may still ask for
  // Which units the version is made of: every index below the prefix, and those ahead of it
  // (UnitLedger).
  uint64_t applied_prefix = 0;
  std::set<uint64_t> applied_ahead;
  std::string plan;      // serialized; any bytes
  std::string job;       // text
  std::string job_name;  // for people who look at the files
};

// Takes the place of what there was of this version, and answers with what it wrote. If it fails,
// as on a full disk, nothing of this version is left and other versions' checkpoints are as they
// were. Copies no values.
absl::StatusOr<CheckpointId> WriteCheckpoint(const FileSystem& files, const CheckpointOwner& owner,
                                             const ShardCheckpoint& checkpoint,
                                             const Layout& layout);

// What a checkpoint holds, verified. Moves, but does not copy: states and older versions point into
// it.
struct RestoredCheckpoint {
  CheckpointId id;
  uint64_t applied_prefix = 0;
  std::set<uint64_t> applied_ahead;
  std::string plan;
  std::string job;
  SafetensorsFile weights;    // the shard's tensors, without padding
  SafetensorsFile optimizer;  // what the following point into
  absl::Span<const float> average;
  std::vector<CheckpointState> states;
  std::vector<CheckpointVersion> older;
};

// NOT_FOUND: there is none of this version. DATA_LOSS names the file that is missing, cut or
// changed.
absl::StatusOr<RestoredCheckpoint> ReadCheckpoint(const FileSystem& files,
                                                  const CheckpointOwner& owner, Version version);

// Puts the weights where the layout has them; padding becomes 0. FAILED_PRECONDITION: the
// checkpoint is of another layout. REQUIRES: arena.size() == layout.arena_size(shard).
absl::Status PlaceWeights(const RestoredCheckpoint& checkpoint, const Layout& layout,
                          uint32_t shard, absl::Span<float> arena);

}  // namespace conadv

#endif  // CONADV_SERVER_CHECKPOINT_CHECKPOINT_H_
