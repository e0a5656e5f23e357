// SPDX-License-Identifier: Apache-2.0
// The command line of a program whose flags are ABSL_FLAGs. Abseil's own parser ends the program
// with exit code 1 and without a way out; this one says what was meant. Before any other thread.
#ifndef CONADV_COMMON_PROGRAM_FLAGS_H_
#define CONADV_COMMON_PROGRAM_FLAGS_H_

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace conadv {

// Takes --name=value, --name value, --switch and --noswitch, and sets the flags. INVALID_ARGUMENT
// is one sentence: an unknown flag with the nearest there is, a value that is missing or wrong, an
// argument that is no flag.
absl::Status SetFlags(absl::Span<const std::string> arguments);

// A line or more for each flag: name, what it does, default.
std::string FlagsHelp();

// For main: an exit code if the program is to end now, after --help, --version or after a mistake,
// which is said on standard error.
std::optional<int> ReadCommandLine(absl::string_view program, absl::string_view summary, int argc,
                                   char** argv);

}  // namespace conadv

#endif  // CONADV_COMMON_PROGRAM_FLAGS_H_
