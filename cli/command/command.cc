// SPDX-License-Identifier: Apache-2.0
#include "cli/command/command.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/base/nearest.h"
#include "common/program/version.h"

namespace conadv {
namespace {

const Command* FindCommand(absl::Span<const Command> commands, absl::string_view name) {
  const auto found = std::find_if(commands.begin(), commands.end(),
                                  [&](const Command& command) { return command.name == name; });
  return found == commands.end() ? nullptr : &*found;
}

int UnknownCommand(absl::Span<const Command> commands, absl::string_view name, std::ostream& err) {
  std::vector<std::string> names = {"help", "version"};
  for (const Command& command : commands) names.push_back(command.name);
  const std::string nearest = Nearest(name, names);
  err << "conadv: unknown command \"" << name << "\"; "
      << (nearest.empty() ? "conadv help lists the commands"
                          : absl::StrCat("did you mean ", nearest, "?"))
      << "\n";
  return kExitUsage;
}

constexpr char kExitCodes[] =
    "exit code: 0 done; 1 it did not work this time; 2 this command line was not understood;\n"
    "  42 it never will: the job, the data or the layout is wrong; 130 or 143 stopped by a signal\n"
    "  (docs/exit_codes.md)\n";

bool AsksForHelp(absl::Span<const std::string> arguments) {
  return std::any_of(arguments.begin(), arguments.end(), [](const std::string& argument) {
    return argument == "--help" || argument == "-h";
  });
}

// What was printed is with whoever reads it; `exit_code` then.
int Printed(absl::string_view name, int exit_code, std::ostream& out, std::ostream& err) {
  if (out.flush()) return exit_code;
  // The failure may be an earlier one's, so its reason is asked for again.
  out.clear();
  errno = 0;
  out.flush();
  // What does not fit the stream's buffer was written, in vain, before: then a pipe is asked.
  pollfd output{STDOUT_FILENO, 0, 0};
  const bool nobody_reads = ::poll(&output, 1, 0) == 1 && (output.revents & POLLERR) != 0;
  const int error = errno == 0 && nobody_reads ? EPIPE : errno;
  // Whoever read it has seen enough (conadv status --watch | head): as quiet as other programs.
  if (error == EPIPE) return kExitBrokenPipe;
  err << absl::StrCat("conadv", name.empty() ? "" : " ", name,
                      ": the output is not complete: standard output cannot be written",
                      error == 0 ? "" : absl::StrCat(": ", std::generic_category().message(error)),
                      "\n")
      << std::flush;
  return exit_code == 0 ? kExitError : exit_code;
}

int RunCommand(const Command& command, absl::Span<const std::string> arguments, std::ostream& out,
               std::ostream& err) {
  const absl::StatusOr<FlagValues> flags = ParseFlags(command.flags, arguments);
  if (!flags.ok()) {
    err << "conadv " << command.name << ": " << flags.status().message() << "\n";
    return kExitUsage;
  }
  const absl::Status status = command.run(*flags, out);
  if (status.ok()) return 0;
  err << "conadv " << command.name << ": " << status.message() << "\n";
  return GivenExitCode(status).value_or(kExitError);
}

}  // namespace

std::string HelpOf(const Command& command) {
  return absl::StrCat("conadv ", command.name, ": ", command.summary, "\n",
                      command.details.empty() ? "" : absl::StrCat("\n", command.details),
                      "\nusage: conadv ", command.name, FlagSynopsis(command.flags), "\n",
                      FlagHelp(command.flags), "\nexample: ", command.example, "\n\n", kExitCodes);
}

std::string ListOf(absl::Span<const Command> commands) {
  std::string text = "usage: conadv COMMAND [flags]\n\n";
  for (const Command& command : commands) {
    absl::StrAppendFormat(&text, "  %-10s %s\n", command.name, command.summary);
  }
  absl::StrAppend(&text,
                  "\nconadv COMMAND --help says more about one of them; conadv --version.\n");
  return text;
}

int Dispatch(absl::Span<const Command> commands, absl::Span<const std::string> arguments,
             std::ostream& out, std::ostream& err) {
  if (arguments.empty() || arguments[0] == "--help" || arguments[0] == "-h") {
    out << ListOf(commands);
    return Printed("", 0, out, err);
  }
  if (arguments[0] == "--version" || arguments[0] == "version") {
    out << "conadv " << ProjectVersion() << "\n";
    return Printed("", 0, out, err);
  }
  const bool help = arguments[0] == "help";
  if (help && arguments.size() == 1) {
    out << ListOf(commands);
    return Printed("", 0, out, err);
  }
  const std::string& name = arguments[help ? 1 : 0];
  const Command* command = FindCommand(commands, name);
  if (command == nullptr) return UnknownCommand(commands, name, err);
  const absl::Span<const std::string> rest = arguments.subspan(1);
  if (help || AsksForHelp(rest)) {
    out << HelpOf(*command);
    return Printed(name, 0, out, err);
  }
  return Printed(name, RunCommand(*command, rest, out, err), out, err);
}

}  // namespace conadv
