// SPDX-License-Identifier: Apache-2.0
// What a program's exit code says to whoever started it.
#ifndef CONADV_COMMON_PROGRAM_EXIT_CODE_H_
#define CONADV_COMMON_PROGRAM_EXIT_CODE_H_

#include "absl/status/status.h"

namespace conadv {

inline constexpr int kExitError = 1;    // what was asked for could not be done
inline constexpr int kExitRefused = 2;  // and cannot be: flags, a job or data that will never do

// What a member prints on standard output before it ends because the run is over: whoever started
// it may hear that before the coordinator's word comes.
inline constexpr char kRunIsOver[] = "the run is over";

inline int ExitCodeOf(const absl::Status& status) {
  if (status.ok()) return 0;
  return absl::IsInvalidArgument(status) || absl::IsNotFound(status) ? kExitRefused : kExitError;
}

}  // namespace conadv

#endif  // CONADV_COMMON_PROGRAM_EXIT_CODE_H_
