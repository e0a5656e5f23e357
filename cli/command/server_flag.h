// SPDX-License-Identifier: Apache-2.0
// --server, of every command that asks a running one. Pure functions.
#ifndef CONADV_CLI_COMMAND_SERVER_FLAG_H_
#define CONADV_CLI_COMMAND_SERVER_FLAG_H_

#include <string>

#include "absl/status/statusor.h"
#include "cli/command/flags.h"

namespace conadv {

Flag ServerFlag();
// HOST:PORT. INVALID_ARGUMENT: it is not given, or not an address.
absl::StatusOr<std::string> ServerOf(const FlagValues& flags);

}  // namespace conadv

#endif  // CONADV_CLI_COMMAND_SERVER_FLAG_H_
