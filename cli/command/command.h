// SPDX-License-Identifier: Apache-2.0
// The table of commands: finding the one that is meant, its help, and how its end becomes an exit
// code. No state.
#ifndef CONADV_CLI_COMMAND_COMMAND_H_
#define CONADV_CLI_COMMAND_COMMAND_H_

#include <functional>
#include <ostream>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "cli/command/flags.h"
#include "common/program/exit_code.h"

namespace conadv {

struct Command {
  std::string name;
  std::string summary;  // one line, for the list of commands
  std::string details;  // more lines for --help, each ended; may be empty
  std::string example;
  std::vector<Flag> flags;
  std::function<absl::Status(const FlagValues& flags, std::ostream& out)> run;
};

// Nobody reads what is printed: a shell's 128 + SIGPIPE.
inline constexpr int kExitBrokenPipe = 141;

std::string HelpOf(const Command& command);
std::string ListOf(absl::Span<const Command> commands);

// Runs arguments[0] with the rest as flags; returns the process's exit code. Errors go to `err`,
// each "conadv: " and the message; that `out` did not take everything is one.
int Dispatch(absl::Span<const Command> commands, absl::Span<const std::string> arguments,
             std::ostream& out, std::ostream& err);

}  // namespace conadv

#endif  // CONADV_CLI_COMMAND_COMMAND_H_
