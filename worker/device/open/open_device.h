// SPDX-License-Identifier: Apache-2.0
// Devices by their names.
#ifndef CONADV_WORKER_DEVICE_OPEN_OPEN_DEVICE_H_
#define CONADV_WORKER_DEVICE_OPEN_OPEN_DEVICE_H_

#include <memory>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "worker/device/device.h"

namespace conadv {

// The one that --device=`name` asks for. INVALID_ARGUMENT, NOT_FOUND say what to do. Call before
// anything is computed.
absl::StatusOr<std::shared_ptr<Device>> OpenDevice(absl::string_view name);

}  // namespace conadv

#endif  // CONADV_WORKER_DEVICE_OPEN_OPEN_DEVICE_H_
