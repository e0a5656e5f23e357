// SPDX-License-Identifier: Apache-2.0
// What a computation is done in, for the calling thread.
#ifndef CONADV_WORKER_DEVICE_PRECISION_H_
#define CONADV_WORKER_DEVICE_PRECISION_H_

#include <torch/torch.h>

#include <functional>

#include "common/job/job.h"

namespace conadv {

// What `run` returns, in float32. With kBf16 LibTorch casts what it computes on devices of this
// type; parameters stay float32, and so do their gradients.
torch::Tensor InPrecision(Precision precision, torch::DeviceType device,
                          const std::function<torch::Tensor()>& run);

}  // namespace conadv

#endif  // CONADV_WORKER_DEVICE_PRECISION_H_
