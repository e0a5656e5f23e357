// SPDX-License-Identifier: Apache-2.0
// Compiled once for each instruction set; the one that the machine has is chosen at run time.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "server/aggregate/add.cc"
#include "server/aggregate/add.h"

#include "hwy/foreach_target.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace conadv::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

void AddLoop(float* HWY_RESTRICT sum, const float* HWY_RESTRICT addend, size_t size) {
  const hn::CappedTag<float, 16> d;
  for (size_t i = 0; i < size; i += hn::Lanes(d)) {
    hn::Store(hn::Add(hn::Load(d, sum + i), hn::Load(d, addend + i)), d, sum + i);
  }
}

// Whether a block of 16 has a NaN or an infinity: then x − x is not 0.
bool AllFinite(const float* HWY_RESTRICT values, size_t size) {
  const hn::CappedTag<float, 16> d;
  auto bad = hn::Zero(d);
  for (size_t i = 0; i < size; i += hn::Lanes(d)) {
    const auto value = hn::Load(d, values + i);
    // 0 for finite values, NaN for the others; once NaN, always NaN.
    bad = hn::Add(bad, hn::Sub(value, value));
  }
  return hn::AllTrue(d, hn::Eq(bad, hn::Zero(d)));
}

}  // namespace conadv::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include <algorithm>
#include <cmath>

namespace conadv {

HWY_EXPORT(AddLoop);
HWY_EXPORT(AllFinite);

void AddInPlace(absl::Span<float> sum, absl::Span<const float> addend) {
  HWY_DYNAMIC_DISPATCH(AddLoop)(sum.data(), addend.data(), sum.size());
}

std::optional<size_t> FindNotFinite(absl::Span<const float> values) {
  if (HWY_DYNAMIC_DISPATCH(AllFinite)(values.data(), values.size())) return std::nullopt;
  const auto found =
      std::find_if(values.begin(), values.end(), [](float v) { return !std::isfinite(v); });
  return static_cast<size_t>(found - values.begin());
}

}  // namespace conadv
#endif  // HWY_ONCE
