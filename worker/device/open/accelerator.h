// SPDX-License-Identifier: Apache-2.0
// A device with memory and queues of its own, as a GPU: everything is copied there and back, and
// each lane has a stream. Versions are shared by lanes; what a lane makes is its own until
// Finish().
#ifndef CONADV_WORKER_DEVICE_OPEN_ACCELERATOR_H_
#define CONADV_WORKER_DEVICE_OPEN_ACCELERATOR_H_

#include <torch/torch.h>

#include <memory>

#include "worker/device/device.h"

namespace conadv {

// Of any kind that LibTorch has. The CPU is one without streams, which tests take: copies of all it
// is given, in ordinary memory. Throws if there is no such device.
std::shared_ptr<Device> MakeAccelerator(torch::Device where);

}  // namespace conadv

#endif  // CONADV_WORKER_DEVICE_OPEN_ACCELERATOR_H_
