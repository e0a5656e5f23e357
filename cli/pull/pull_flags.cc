// SPDX-License-Identifier: Apache-2.0
#include "cli/pull/pull_flags.h"

#include "absl/status/status.h"
#include "common/program/exit_code.h"

namespace conadv {

absl::StatusOr<PullSelector> SelectorOf(const FlagValues& flags) {
  if (flags.Given("version") && flags.Given("lag")) {
    return UsageError("--version and --lag exclude each other");
  }
  if (flags.Given("version")) return PullSelector::Exactly(Version(flags.Count("version")));
  if (flags.Given("lag")) return PullSelector::Lag(flags.Count("lag"));
  return PullSelector::Latest();
}

}  // namespace conadv
