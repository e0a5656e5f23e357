// SPDX-License-Identifier: Apache-2.0
// Every command there is.
#ifndef CONADV_CLI_COMMANDS_H_
#define CONADV_CLI_COMMANDS_H_

#include <vector>

#include "cli/command.h"

namespace conadv {

Command TrainCommand();
Command ValidateCommand();
Command StatusCommand();
Command StalenessCommand();
Command WorkersCommand();
Command SnapshotsCommand();
Command PullCommand();

inline std::vector<Command> AllCommands() {
  return {TrainCommand(),   ValidateCommand(),  StatusCommand(), StalenessCommand(),
          WorkersCommand(), SnapshotsCommand(), PullCommand()};
}

}  // namespace conadv

#endif  // CONADV_CLI_COMMANDS_H_
