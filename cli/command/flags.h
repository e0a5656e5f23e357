// SPDX-License-Identifier: Apache-2.0
// The flags of one command: a table that says what there is, and what a command line gives. Plain
// values, pure functions.
#ifndef CONADV_CLI_COMMAND_FLAGS_H_
#define CONADV_CLI_COMMAND_FLAGS_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"

namespace conadv {

enum class FlagKind {
  kText,
  kCount,     // a whole number from 0 to 2^63 - 1
  kPositive,  // the same, but not 0
  kSeconds,   // a finite number > 0
  kSwitch,    // --name, --noname, --name=true, --name=false
  kRepeated,  // text, any number of times
  kArgument,  // text without a name, in the table's order; has to be given
};

struct Flag {
  std::string name;
  FlagKind kind = FlagKind::kText;
  std::string value_name;     // what the help calls the value: "FILE"
  std::string default_value;  // as on a command line; empty is "not given"
  std::string help;
};

// What a command line gave. REQUIRES, in all getters: a flag of the table, of that kind.
class FlagValues {
 public:
  bool Given(absl::string_view name) const;  // on the command line, not by default
  std::string Text(absl::string_view name) const;
  uint64_t Count(absl::string_view name) const;
  absl::Duration Seconds(absl::string_view name) const;
  bool Switch(absl::string_view name) const;
  std::vector<std::string> Repeated(absl::string_view name) const;

 private:
  friend absl::StatusOr<FlagValues> ParseFlags(absl::Span<const Flag> flags,
                                               absl::Span<const std::string> arguments);
  std::string ValueOf(absl::string_view name) const;

  std::map<std::string, std::string> defaults_;
  std::map<std::string, std::vector<std::string>> given_;
};

// Takes --name=value and --name value. INVALID_ARGUMENT is one line: an unknown flag with the
// nearest there is, a flag given twice, a missing or wrong value, an argument that the table lacks
// or that is missing.
absl::StatusOr<FlagValues> ParseFlags(absl::Span<const Flag> flags,
                                      absl::Span<const std::string> arguments);

// What a command line has: " WORKER [flags]".
std::string FlagSynopsis(absl::Span<const Flag> flags);
// A line for each flag: name, value, help, default.
std::string FlagHelp(absl::Span<const Flag> flags);

}  // namespace conadv

#endif  // CONADV_CLI_COMMAND_FLAGS_H_
