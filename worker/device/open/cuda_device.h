// SPDX-License-Identifier: Apache-2.0
// NVIDIA's GPUs, where LibTorch has CUDA.
#ifndef CONADV_WORKER_DEVICE_OPEN_CUDA_DEVICE_H_
#define CONADV_WORKER_DEVICE_OPEN_CUDA_DEVICE_H_

#include <memory>

#include "absl/status/statusor.h"
#include "worker/device/device.h"

namespace conadv {

// The GPU of that number. LibTorch is told, for the whole process, to compute with what gives equal
// bits from equal passes, and in float32 where float32 is asked for. NOT_FOUND says what is
// missing: CUDA in this LibTorch, a GPU that works, or one of that number. Call before anything is
// computed.
absl::StatusOr<std::shared_ptr<Device>> MakeCudaDevice(int index);

}  // namespace conadv

#endif  // CONADV_WORKER_DEVICE_OPEN_CUDA_DEVICE_H_
