// SPDX-License-Identifier: Apache-2.0
#include "common/program/device_name.h"

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "common/base/printable.h"

namespace conadv {

absl::StatusOr<DeviceName> ParseDeviceName(absl::string_view text) {
  constexpr int kMost = 127;  // LibTorch counts them in 8 bits
  DeviceName device;
  if (text == "cpu") return device;
  device.cuda = true;
  if (text == "cuda") return device;
  absl::string_view number = text;
  if (absl::ConsumePrefix(&number, "cuda:") && absl::SimpleAtoi(number, &device.index) &&
      device.index <= kMost && absl::StrCat(device.index) == number && device.index >= 0) {
    return device;
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "--device: must be cpu, cuda, or cuda:N for GPU N, got \"", Printable(text), "\""));
}

}  // namespace conadv
