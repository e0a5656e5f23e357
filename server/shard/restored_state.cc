// SPDX-License-Identifier: Apache-2.0
#include "server/shard/restored_state.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "common/base/status_macros.h"

namespace conadv {
namespace {

absl::Status CheckLength(absl::string_view what, size_t is, size_t expected) {
  if (is == expected) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat("the checkpoint is of another model or number of shards: ", what, " has ", is,
                   " elements, not ", expected));
}

absl::StatusOr<std::shared_ptr<const Arena>> Copied(absl::string_view what,
                                                    absl::Span<const float> values,
                                                    ArenaPool* arenas) {
  std::shared_ptr<Arena> arena = arenas->Take();
  CONADV_RETURN_IF_ERROR(CheckLength(what, values.size(), arena->size()));
  std::copy(values.begin(), values.end(), arena->data());
  return arena;
}

}  // namespace

absl::Status CopyOptimizerState(const RestoredCheckpoint& checkpoint, Optimizer& optimizer) {
  const std::vector<Optimizer::StateTensor> states = optimizer.state();
  CONADV_RETURN_IF_ERROR(
      CheckLength("the optimizer's state", checkpoint.states.size(), states.size()));
  for (size_t i = 0; i < states.size(); ++i) {
    const CheckpointState& from = checkpoint.states[i];
    if (from.name != states[i].name) {
      return absl::FailedPreconditionError(absl::StrCat(
          "the checkpoint is of another optimizer: it has ", from.name, ", not ", states[i].name));
    }
    CONADV_RETURN_IF_ERROR(CheckLength(from.name, from.values.size(), states[i].values.size()));
    std::copy(from.values.begin(), from.values.end(), states[i].values.begin());
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<Snapshot>> PlaceVersions(const RestoredCheckpoint& checkpoint,
                                                    const Layout& layout, uint32_t shard,
                                                    bool averaged, absl::Time now,
                                                    ArenaPool* arenas) {
  std::vector<Snapshot> versions;
  for (const CheckpointVersion& from : checkpoint.older) {
    CONADV_ASSIGN_OR_RETURN(
        std::shared_ptr<const Arena> weights,
        Copied(absl::StrCat("version ", from.version.value()), from.weights, arenas));
    versions.push_back({from.version, std::move(weights), now, std::nullopt, nullptr});
  }
  std::shared_ptr<Arena> weights = arenas->Take();
  CONADV_RETURN_IF_ERROR(PlaceWeights(checkpoint, layout, shard, weights->span()));
  versions.push_back({checkpoint.id.version, std::move(weights), now, std::nullopt, nullptr});
  if (averaged) {
    CONADV_ASSIGN_OR_RETURN(versions.back().average,
                            Copied("the average", checkpoint.average, arenas));
  }
  return versions;
}

}  // namespace conadv
