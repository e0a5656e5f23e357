// SPDX-License-Identifier: Apache-2.0
// The flags that say which job a command is about. Plain values, pure functions.
#ifndef CONADV_CLI_JOB_JOB_FLAGS_H_
#define CONADV_CLI_JOB_JOB_FLAGS_H_

#include "cli/command/flags.h"
#include "cli/job/job_source.h"

namespace conadv {

Flag JobFlag();  // --job
Flag SetFlag();  // --set
// REQUIRES: the command has both.
JobSource JobSourceOf(const FlagValues& flags);

}  // namespace conadv

#endif  // CONADV_CLI_JOB_JOB_FLAGS_H_
