// SPDX-License-Identifier: Apache-2.0
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "server/snapshot/average.cc"
// clang-format off
#include "hwy/foreach_target.h"
// clang-format on
#include "server/snapshot/average.h"

#include "common/tensor/layout.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace conadv::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

void MoveAverageLoop(float rest, const float* average, const float* weights, size_t size,
                     float* next) {
  // An arena's length is a multiple of any vector's.
  const hn::CappedTag<float, kTensorAlignment> d;
  const auto rests = hn::Set(d, rest);
  for (size_t i = 0; i < size; i += hn::Lanes(d)) {
    const auto from = hn::Load(d, average + i);
    const auto way = hn::Sub(hn::Load(d, weights + i), from);
    hn::Store(hn::Add(from, hn::Mul(rests, way)), d, next + i);
  }
}

}  // namespace conadv::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include <algorithm>

namespace conadv {

HWY_EXPORT(MoveAverageLoop);

float AverageDecay(const AverageOptions& options, Version version) {
  if (!options.warmup) return options.decay;
  const double updates = static_cast<double>(version.value());
  return std::min(options.decay, static_cast<float>((1 + updates) / (10 + updates)));
}

void MoveAverage(float decay, const float* average, const float* weights, size_t size,
                 float* next) {
  HWY_DYNAMIC_DISPATCH(MoveAverageLoop)(1 - decay, average, weights, size, next);
}

}  // namespace conadv
#endif  // HWY_ONCE
