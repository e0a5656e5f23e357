// SPDX-License-Identifier: Apache-2.0
// conadv train: a run on this machine, from the command line to the final weights.
#ifndef CONADV_CLI_TRAIN_TRAIN_H_
#define CONADV_CLI_TRAIN_TRAIN_H_

#include "cli/command/command.h"

namespace conadv {

Command TrainCommand();

}  // namespace conadv

#endif  // CONADV_CLI_TRAIN_TRAIN_H_
