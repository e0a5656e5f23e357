// SPDX-License-Identifier: Apache-2.0
// conadv status, staleness, workers and snapshots: questions to a running server.
#ifndef CONADV_CLI_INSPECT_INSPECT_H_
#define CONADV_CLI_INSPECT_INSPECT_H_

#include "cli/command/command.h"

namespace conadv {

Command StatusCommand();
Command StalenessCommand();
Command WorkersCommand();
Command SnapshotsCommand();

}  // namespace conadv

#endif  // CONADV_CLI_INSPECT_INSPECT_H_
