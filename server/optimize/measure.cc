// SPDX-License-Identifier: Apache-2.0
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "server/optimize/measure.cc"
// clang-format off
#include "hwy/foreach_target.h"
// clang-format on
#include "server/optimize/kernel-inl.h"
#include "server/optimize/tensor_update.h"

HWY_BEFORE_NAMESPACE();
namespace conadv::HWY_NAMESPACE {

Measured MeasureLoop(const TensorUpdate& tensor) {
  const Lane d;
  StreamSums streams(tensor);
  Sum gradient;
  Sum weights;
  // Without compensation no gradient need be made for its norm.
  if (tensor.used == nullptr && streams.HasSumsNorm()) {
    for (size_t block = 0; block < tensor.size; block += kBlock) {
      streams.Add(tensor, block);
      AddSquares(tensor.weights + block, &weights);
    }
    return {streams.Total(), streams.SumsSquare(tensor), weights.Total()};
  }
  alignas(64) float block_gradient[kBlock];
  for (size_t block = 0; block < tensor.size; block += kBlock) {
    streams.Add(tensor, block);
    for (size_t i = 0; i < kBlock; i += hn::Lanes(d)) {
      hn::Store(Gradient(tensor, block + i), d, block_gradient + i);
    }
    AddSquares(block_gradient, &gradient);
    AddSquares(tensor.weights + block, &weights);
  }
  return {streams.Total(), gradient.Total(), weights.Total()};
}

}  // namespace conadv::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace conadv {

HWY_EXPORT(MeasureLoop);

Measured Measure(const TensorUpdate& tensor) { return HWY_DYNAMIC_DISPATCH(MeasureLoop)(tensor); }

}  // namespace conadv
#endif  // HWY_ONCE
