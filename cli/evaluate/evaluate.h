// SPDX-License-Identifier: Apache-2.0
// conadv eval: how well weights do, from a file or a running job, with attacks and without.
#ifndef CONADV_CLI_EVALUATE_EVALUATE_H_
#define CONADV_CLI_EVALUATE_EVALUATE_H_

#include "cli/command/command.h"

namespace conadv {

Command EvalCommand();

}  // namespace conadv

#endif  // CONADV_CLI_EVALUATE_EVALUATE_H_
