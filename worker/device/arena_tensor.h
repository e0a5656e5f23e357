// SPDX-License-Identifier: Apache-2.0
// An arena as a tensor: its memory, which the tensor keeps alive.
#ifndef CONADV_WORKER_DEVICE_ARENA_TENSOR_H_
#define CONADV_WORKER_DEVICE_ARENA_TENSOR_H_

#include <torch/torch.h>

#include <cstdint>
#include <memory>
#include <utility>

#include "common/tensor/arena.h"

namespace conadv {

// Shape: [arena size], float32. Nobody may write to it if the arena is shared.
inline torch::Tensor AsTensor(std::shared_ptr<const Arena> arena) {
  // LibTorch has no tensor of constants.
  float* data = const_cast<float*>(arena->data());
  const auto size = static_cast<int64_t>(arena->size());
  return torch::from_blob(
      data, {size}, [arena = std::move(arena)](void*) {}, torch::kFloat32);
}

}  // namespace conadv

#endif  // CONADV_WORKER_DEVICE_ARENA_TENSOR_H_
