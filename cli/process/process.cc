// SPDX-License-Identifier: Apache-2.0
#include "cli/process/process.h"

#include <string.h>

#include "absl/strings/str_cat.h"

namespace conadv {

std::string ExitStatus::ToString() const {
  if (signal != 0) return absl::StrCat("signal ", signal, " (", strsignal(signal), ")");
  return absl::StrCat("exit code ", code);
}

}  // namespace conadv
