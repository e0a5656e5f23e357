// SPDX-License-Identifier: Apache-2.0
// The command `completion`: what a shell needs to complete `conadv`'s command lines, from the
// commands' own tables. Pure functions.
#ifndef CONADV_CLI_COMPLETE_COMPLETION_H_
#define CONADV_CLI_COMPLETE_COMPLETION_H_

#include <functional>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "cli/command/command.h"

namespace conadv {

std::string BashCompletion(absl::Span<const Command> commands);
std::string ZshCompletion(absl::Span<const Command> commands);
std::string FishCompletion(absl::Span<const Command> commands);

// `commands` answers with all of them, this one too.
Command CompletionCommand(std::function<std::vector<Command>()> commands);

}  // namespace conadv

#endif  // CONADV_CLI_COMPLETE_COMPLETION_H_
