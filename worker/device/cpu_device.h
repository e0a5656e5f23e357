// SPDX-License-Identifier: Apache-2.0
// The CPU as a device: weights and gradients are used where they lie, in the arenas themselves.
#ifndef CONADV_WORKER_DEVICE_CPU_DEVICE_H_
#define CONADV_WORKER_DEVICE_CPU_DEVICE_H_

#include <memory>

#include "worker/device/device.h"

namespace conadv {

// One thread for each operation, in the whole process: see threads.h. Call before anything is
// computed.
std::shared_ptr<Device> MakeCpuDevice();

}  // namespace conadv

#endif  // CONADV_WORKER_DEVICE_CPU_DEVICE_H_
