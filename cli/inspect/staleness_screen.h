// SPDX-License-Identifier: Apache-2.0
// conadv staleness --watch on a terminal. Blocks.
#ifndef CONADV_CLI_INSPECT_STALENESS_SCREEN_H_
#define CONADV_CLI_INSPECT_STALENESS_SCREEN_H_

#include <ostream>

#include "absl/status/status.h"
#include "cli/inspect/look.h"
#include "cli/process/supervisor.h"

namespace conadv {

// Until the run is over, somebody presses q, or `interrupts` has a signal. Takes the place of the
// options' pause and notes. `out` writes to standard output. REQUIRES: TerminalScreen::Usable().
absl::Status WatchStalenessOnScreen(LookOptions options, Supervisor* interrupts, std::ostream* out);

}  // namespace conadv

#endif  // CONADV_CLI_INSPECT_STALENESS_SCREEN_H_
