// SPDX-License-Identifier: Apache-2.0
// The commands that change a running job: `checkpoint`, `drain` and `set`.
#ifndef CONADV_CLI_OPERATE_OPERATE_H_
#define CONADV_CLI_OPERATE_OPERATE_H_

#include "cli/command/command.h"

namespace conadv {

Command CheckpointCommand();
Command DrainCommand();
Command SetCommand();

}  // namespace conadv

#endif  // CONADV_CLI_OPERATE_OPERATE_H_
