// SPDX-License-Identifier: Apache-2.0
// --tls_ca, --tls_cert, --tls_key and --token_file of commands that talk to servers.
#ifndef CONADV_CLI_COMMAND_SECURITY_FLAGS_H_
#define CONADV_CLI_COMMAND_SECURITY_FLAGS_H_

#include <vector>

#include "cli/command/flags.h"
#include "common/security/security_files.h"

namespace conadv {

// `flags`, and these after them.
std::vector<Flag> WithSecurityFlags(std::vector<Flag> flags);

// What they or the environment say. Not checked. REQUIRES: a table with these flags.
SecurityFiles SecurityFilesOf(const FlagValues& flags);

}  // namespace conadv

#endif  // CONADV_CLI_COMMAND_SECURITY_FLAGS_H_
