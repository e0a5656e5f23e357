// SPDX-License-Identifier: Apache-2.0
// Which weights of a run a command's flags name. Pure function.
#ifndef CONADV_CLI_PULL_PULL_FLAGS_H_
#define CONADV_CLI_PULL_PULL_FLAGS_H_

#include "absl/status/statusor.h"
#include "cli/command/flags.h"
#include "common/protocol/pull_selector.h"

namespace conadv {

// --version=N or --lag=K, or else the newest. INVALID_ARGUMENT: both are given.
absl::StatusOr<PullSelector> SelectorOf(const FlagValues& flags);

}  // namespace conadv

#endif  // CONADV_CLI_PULL_PULL_FLAGS_H_
