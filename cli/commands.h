// SPDX-License-Identifier: Apache-2.0
// Every command there is.
#ifndef CONADV_CLI_COMMANDS_H_
#define CONADV_CLI_COMMANDS_H_

#include <vector>

#include "cli/command/command.h"
#include "cli/evaluate/evaluate.h"
#include "cli/inspect/inspect.h"
#include "cli/job/validate.h"
#include "cli/operate/operate.h"
#include "cli/pull/pull.h"
#include "cli/train/train.h"

namespace conadv {

inline std::vector<Command> AllCommands() {
  return {TrainCommand(),      ValidateCommand(),  StatusCommand(), StalenessCommand(),
          WorkersCommand(),    SnapshotsCommand(), PullCommand(),   EvalCommand(),
          CheckpointCommand(), DrainCommand(),     SetCommand()};
}

}  // namespace conadv

#endif  // CONADV_CLI_COMMANDS_H_
