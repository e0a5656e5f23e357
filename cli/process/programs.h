// SPDX-License-Identifier: Apache-2.0
// Finds the programs that a run needs. Calls look at the disk.
#ifndef CONADV_CLI_PROCESS_PROGRAMS_H_
#define CONADV_CLI_PROCESS_PROGRAMS_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace conadv {

// The program of this name in `own_directory`, else in the directories of `search_path` (as $PATH).
// NOT_FOUND says where it was looked for.
absl::StatusOr<std::string> FindProgram(const std::string& name, const std::string& own_directory,
                                        absl::string_view search_path);
// Where the running program lies.
absl::StatusOr<std::string> OwnDirectory();

}  // namespace conadv

#endif  // CONADV_CLI_PROCESS_PROGRAMS_H_
