// SPDX-License-Identifier: Apache-2.0
// Every command there is; `train`, which reads data sets and starts programs, is of no use beside a
// server alone.
#ifndef CONADV_CLI_COMMANDS_H_
#define CONADV_CLI_COMMANDS_H_

#include <vector>

#include "cli/command/command.h"
#include "cli/complete/completion.h"
#include "cli/doctor/doctor.h"
#include "cli/evaluate/evaluate.h"
#include "cli/inspect/inspect.h"
#include "cli/job/validate.h"
#include "cli/operate/operate.h"
#include "cli/pull/pull.h"
#ifndef CONADV_WITHOUT_TRAIN
#include "cli/train/train.h"
#endif

namespace conadv {

inline std::vector<Command> AllCommands() {
  return {
#ifndef CONADV_WITHOUT_TRAIN
      TrainCommand(),
#endif
      ValidateCommand(),  StatusCommand(), StalenessCommand(), WorkersCommand(),
      SnapshotsCommand(), PullCommand(),   EvalCommand(),      CheckpointCommand(),
      DrainCommand(),     SetCommand(),    DoctorCommand(),    CompletionCommand(&AllCommands)};
}

}  // namespace conadv

#endif  // CONADV_CLI_COMMANDS_H_
