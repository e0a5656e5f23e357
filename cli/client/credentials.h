// SPDX-License-Identifier: Apache-2.0
// What a command shows to the servers it talks to.
#ifndef CONADV_CLI_CLIENT_CREDENTIALS_H_
#define CONADV_CLI_CLIENT_CREDENTIALS_H_

#include "absl/status/statusor.h"
#include "cli/command/security_flags.h"
#include "common/base/clock.h"
#include "common/os/file.h"
#include "common/wire/client_credentials.h"

namespace conadv {

// By its security flags. Errors name the flag.
inline absl::StatusOr<ClientCredentials> CredentialsOf(const FlagValues& flags) {
  return ClientCredentials::Create(SecurityFilesOf(flags), &FileSystem::Real(), &Clock::Real());
}

}  // namespace conadv

#endif  // CONADV_CLI_CLIENT_CREDENTIALS_H_
