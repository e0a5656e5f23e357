// SPDX-License-Identifier: Apache-2.0
// One tensor's part of an update, as the vector loops take it. Plain values that own nothing.
#ifndef CONADV_SERVER_OPTIMIZE_TENSOR_UPDATE_H_
#define CONADV_SERVER_OPTIMIZE_TENSOR_UPDATE_H_

#include <cstddef>

namespace conadv {

// All pointers lead to `size` elements, are aligned to 64 bytes, and padding is 0. At least one
// stream takes part.
struct TensorUpdate {
  size_t offset = 0;    // in the shard's arena: where the tensor's state lies
  size_t size = 0;      // elements, a multiple of kTensorAlignment
  bool decays = false;  // a WEIGHT: decayed, and scaled by trust ratios

  const float* weights = nullptr;
  float* next = nullptr;

  // The gradient that the rule sees:
  //   g = gradient_scale · (u + compensation · u ⊙ u ⊙ (θ − used)),
  //   u = clean_scale · clean + adversarial_scale · adversarial
  // where a stream that is nullptr counts as 0, and without `used` there is no compensation.
  const float* clean = nullptr;
  const float* adversarial = nullptr;
  float clean_scale = 0;
  float adversarial_scale = 0;
  const float* used = nullptr;
  float compensation = 0;
  float gradient_scale = 1;

  float rate = 0;  // damping included
};

// Squared norms and the dot product of the streams' sums.
struct StreamNorms {
  double clean = 0;
  double adversarial = 0;
  double dot = 0;
};

// What a pass over the tensor before the update finds: squared norms of g (with gradient_scale 1)
// and of θ.
struct Measured {
  StreamNorms streams;
  double gradient = 0;
  double weights = 0;
};

// Does not change anything.
Measured Measure(const TensorUpdate& tensor);

}  // namespace conadv

#endif  // CONADV_SERVER_OPTIMIZE_TENSOR_UPDATE_H_
