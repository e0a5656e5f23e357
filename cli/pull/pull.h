// SPDX-License-Identifier: Apache-2.0
// conadv pull: one version of a running job's weights, as a file.
#ifndef CONADV_CLI_PULL_PULL_H_
#define CONADV_CLI_PULL_PULL_H_

#include "cli/command/command.h"

namespace conadv {

Command PullCommand();

}  // namespace conadv

#endif  // CONADV_CLI_PULL_PULL_H_
