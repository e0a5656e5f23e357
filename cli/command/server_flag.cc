// SPDX-License-Identifier: Apache-2.0
#include "cli/command/server_flag.h"

#include <vector>

#include "common/base/status_macros.h"
#include "common/program/exit_code.h"
#include "common/wire/addresses.h"

namespace conadv {

Flag ServerFlag() {
  return {"server", FlagKind::kText, "HOST:PORT", "", "a running conadv-server"};
}

absl::StatusOr<std::string> ServerOf(const FlagValues& flags) {
  if (!flags.Given("server")) {
    return UsageError("--server=HOST:PORT is needed; conadv train prints it as \"coordinator\"");
  }
  CONADV_ASSIGN_OR_RETURN(const std::vector<std::string> servers,
                          AsUsage(ExpandAddresses(flags.Text("server"))));
  return servers.front();
}

}  // namespace conadv
