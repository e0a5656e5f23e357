// SPDX-License-Identifier: Apache-2.0
// Flags that turn off what a program does by itself. A pure function.
#ifndef CONADV_COMMON_PROGRAM_AUTO_FLAG_H_
#define CONADV_COMMON_PROGRAM_AUTO_FLAG_H_

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace conadv {

// Of --`flag`: "auto", which is to do it where it can be done, or "off".
inline absl::StatusOr<bool> ParseAutoFlag(absl::string_view flag, absl::string_view text) {
  if (text == "auto") return true;
  if (text == "off") return false;
  return absl::InvalidArgumentError(absl::StrCat("--", flag, " must be auto or off, got ", text));
}

}  // namespace conadv

#endif  // CONADV_COMMON_PROGRAM_AUTO_FLAG_H_
