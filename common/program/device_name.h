// SPDX-License-Identifier: Apache-2.0
// What --device says. A pure function.
#ifndef CONADV_COMMON_PROGRAM_DEVICE_NAME_H_
#define CONADV_COMMON_PROGRAM_DEVICE_NAME_H_

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace conadv {

struct DeviceName {
  bool cuda = false;
  int index = 0;  // of the GPU
};

// "cpu", "cuda", which is "cuda:0", or "cuda:N". INVALID_ARGUMENT names the flag.
absl::StatusOr<DeviceName> ParseDeviceName(absl::string_view text);

}  // namespace conadv

#endif  // CONADV_COMMON_PROGRAM_DEVICE_NAME_H_
