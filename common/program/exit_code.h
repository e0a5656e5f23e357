// SPDX-License-Identifier: Apache-2.0
// What a program's exit code says to whoever started it: the one table is docs/exit_codes.md. Pure
// functions.
#ifndef CONADV_COMMON_PROGRAM_EXIT_CODE_H_
#define CONADV_COMMON_PROGRAM_EXIT_CODE_H_

#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace conadv {

inline constexpr int kExitError = 1;  // what was asked for could not be done; another try may
inline constexpr int kExitUsage = 2;  // a `conadv` command line that was not understood
// Never: the flags of a server or a worker, the job, the data or the layout is wrong, and nothing
// but a person can change that. Not a code that shells, runtimes or other programs give.
inline constexpr int kExitNever = 42;
// Stopped by a signal before the work was done, as a shell says it: 143 is SIGTERM, 130 SIGINT.
constexpr int ExitCodeOfSignal(int number) { return 128 + number; }

// What a member prints on standard output before it ends because the run is over: whoever started
// it may hear that before the coordinator's word comes.
inline constexpr char kRunIsOver[] = "the run is over";

// The same status, which is to end the program with this code whoever hands it on.
absl::Status WithExitCode(absl::Status status, int code);
// INVALID_ARGUMENT, of a command line that cannot be understood.
absl::Status UsageError(absl::string_view message);
// The same, if it is an error, of what a flag says.
absl::Status AsUsage(absl::Status status);
template <class T>
absl::StatusOr<T> AsUsage(absl::StatusOr<T> value) {
  if (value.ok()) return value;
  return AsUsage(value.status());
}
// CANCELLED, by this signal.
absl::Status StoppedBySignal(int number, absl::string_view message);
// Another message; the code and what WithExitCode said stay.
absl::Status Reworded(const absl::Status& status, absl::string_view message);

// What WithExitCode said.
std::optional<int> GivenExitCode(const absl::Status& status);
// Of a server or a worker: what it is to end with.
int ExitCodeOf(const absl::Status& status);

}  // namespace conadv

#endif  // CONADV_COMMON_PROGRAM_EXIT_CODE_H_
