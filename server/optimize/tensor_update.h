// SPDX-License-Identifier: Apache-2.0
// One tensor's part of an update, as the vector loops take it. Plain values that own nothing.
#ifndef CONADV_SERVER_OPTIMIZE_TENSOR_UPDATE_H_
#define CONADV_SERVER_OPTIMIZE_TENSOR_UPDATE_H_

#include <array>
#include <cstddef>

#include "common/job/streams.h"

namespace conadv {

// All pointers lead to `size` elements, are aligned to 64 bytes, and padding is 0. At least one
// stream takes part.
struct TensorUpdate {
  size_t offset = 0;  // in the shard's arena: where the tensor's state lies
  size_t size = 0;    // elements, a multiple of kTensorAlignment
  float weight_decay = 0;
  bool trust_ratio = false;  // LARS and LAMB: scaled by one

  const float* weights = nullptr;
  float* next = nullptr;

  // The gradient that the rule sees:
  //   g = gradient_scale · (u + compensation · u ⊙ u ⊙ (θ − used)),
  //   u = Σ scale[s] · sum[s]
  // where a stream whose sum is nullptr counts as 0, and without `used` there is no compensation.
  size_t streams = 0;
  std::array<const float*, kMostStreams> sum{};
  std::array<float, kMostStreams> scale{};
  const float* used = nullptr;
  float compensation = 0;
  float gradient_scale = 1;

  float rate = 0;  // damping included
};

// Elements `begin` to `begin + size` of a tensor, both multiples of kTensorAlignment.
TensorUpdate PartOf(const TensorUpdate& tensor, size_t begin, size_t size);

// By stream: the squared norm of its sum, and its product with the first stream's.
struct StreamNorms {
  std::array<double, kMostStreams> square{};
  std::array<double, kMostStreams> dot{};  // the first is 0
};

// What a pass over the tensor before the update finds: squared norms of g (with gradient_scale 1)
// and of θ.
struct Measured {
  StreamNorms streams;
  double gradient = 0;
  double weights = 0;
};

// Of two parts together.
StreamNorms& operator+=(StreamNorms& sum, const StreamNorms& part);
Measured& operator+=(Measured& sum, const Measured& part);

// Does not change anything.
Measured Measure(const TensorUpdate& tensor);

}  // namespace conadv

#endif  // CONADV_SERVER_OPTIMIZE_TENSOR_UPDATE_H_
