// SPDX-License-Identifier: Apache-2.0
#include "server/shard/restored_state.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"

namespace conadv {
namespace {

absl::Status CheckLength(absl::string_view what, size_t is, size_t expected) {
  if (is == expected) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat("the checkpoint is of another model or number of shards: ", what, " has ", is,
                   " elements, not ", expected));
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

absl::Status CopyOlder(const CheckpointVersion& older, absl::Span<float> arena) {
  CONADV_RETURN_IF_ERROR(CheckLength(absl::StrCat("version ", older.version.value()),
                                     older.weights.size(), arena.size()));
  std::copy(older.weights.begin(), older.weights.end(), arena.begin());
  return absl::OkStatus();
}

absl::Status CopyAverage(const RestoredCheckpoint& checkpoint, absl::Span<float> arena) {
  CONADV_RETURN_IF_ERROR(CheckLength("the average", checkpoint.average.size(), arena.size()));
  std::copy(checkpoint.average.begin(), checkpoint.average.end(), arena.begin());
  return absl::OkStatus();
}

}  // namespace conadv
