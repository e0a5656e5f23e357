// SPDX-License-Identifier: Apache-2.0
// What --shared_memory says. A pure function.
#ifndef CONADV_COMMON_PROGRAM_SHARED_MEMORY_FLAG_H_
#define CONADV_COMMON_PROGRAM_SHARED_MEMORY_FLAG_H_

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace conadv {

// "auto", which is to share memory where that can be done, or "off".
inline absl::StatusOr<bool> ParseSharedMemoryFlag(absl::string_view text) {
  if (text == "auto") return true;
  if (text == "off") return false;
  return absl::InvalidArgumentError(
      absl::StrCat("--shared_memory must be auto or off, got ", text));
}

}  // namespace conadv

#endif  // CONADV_COMMON_PROGRAM_SHARED_MEMORY_FLAG_H_
