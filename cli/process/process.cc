// SPDX-License-Identifier: Apache-2.0
#include "cli/process/process.h"

#include <signal.h>
#include <string.h>

#include "absl/strings/str_cat.h"
#include "common/program/exit_code.h"

namespace conadv {

bool ExitStatus::by_signal() const {
  return signal != 0 || code == ExitCodeOfSignal(SIGTERM) || code == ExitCodeOfSignal(SIGINT);
}

std::string ExitStatus::ToString() const {
  if (signal != 0) return absl::StrCat("signal ", signal, " (", strsignal(signal), ")");
  return absl::StrCat("exit code ", code);
}

}  // namespace conadv
