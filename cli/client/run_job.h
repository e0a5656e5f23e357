// SPDX-License-Identifier: Apache-2.0
// The job of a run, from its coordinator. Blocks.
#ifndef CONADV_CLI_CLIENT_RUN_JOB_H_
#define CONADV_CLI_CLIENT_RUN_JOB_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/wire/client_credentials.h"

namespace conadv {

// In text format, in full. A coordinator that is away is waited for. Errors name it.
absl::StatusOr<std::string> FetchJobText(const std::string& coordinator, absl::Duration timeout,
                                         const ClientCredentials& credentials);

}  // namespace conadv

#endif  // CONADV_CLI_CLIENT_RUN_JOB_H_
