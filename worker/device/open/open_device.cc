// SPDX-License-Identifier: Apache-2.0
#include "worker/device/open/open_device.h"

#include "common/base/status_macros.h"
#include "common/program/device_name.h"
#include "worker/device/cpu_device.h"
#include "worker/device/open/cuda_device.h"

namespace conadv {

absl::StatusOr<std::shared_ptr<Device>> OpenDevice(absl::string_view name) {
  CONADV_ASSIGN_OR_RETURN(const DeviceName device, ParseDeviceName(name));
  if (device.cuda) return MakeCudaDevice(device.index);
  return MakeCpuDevice();
}

}  // namespace conadv
