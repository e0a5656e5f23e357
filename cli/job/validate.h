// SPDX-License-Identifier: Apache-2.0
// conadv validate: whether a job is well formed, and its defaults.
#ifndef CONADV_CLI_JOB_VALIDATE_H_
#define CONADV_CLI_JOB_VALIDATE_H_

#include "cli/command/command.h"

namespace conadv {

Command ValidateCommand();

}  // namespace conadv

#endif  // CONADV_CLI_JOB_VALIDATE_H_
