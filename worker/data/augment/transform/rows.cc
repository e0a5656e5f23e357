// SPDX-License-Identifier: Apache-2.0
// Compiled once for each instruction set; the one that the machine has is chosen at run time. No
// fused multiply-add, which only some have: the bits are the same with all.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "worker/data/augment/transform/rows.cc"
#include "worker/data/augment/transform/rows.h"

#include "hwy/foreach_target.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace conadv::augment::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using Floats = hn::ScalableTag<float>;
using Ints = hn::Rebind<int32_t, Floats>;
using Bytes = hn::Rebind<uint8_t, Floats>;

HWY_INLINE hn::Vec<Floats> LoadPixels(const uint8_t* from) {
  return hn::ConvertTo(Floats(), hn::PromoteTo(Ints(), hn::LoadU(Bytes(), from)));
}

// Clamps to [0, 255] and cuts off.
HWY_INLINE void StorePixels(hn::Vec<Floats> values, uint8_t* to) {
  const Floats d;
  const auto clamped = hn::Min(hn::Max(values, hn::Zero(d)), hn::Set(d, 255.0F));
  hn::StoreU(hn::DemoteTo(Bytes(), hn::ConvertTo(Ints(), clamped)), Bytes(), to);
}

// Each returns how many of the pixels it has done: a multiple of its vectors' length.

size_t GreyVectors(const uint8_t* red, const uint8_t* green, const uint8_t* blue, size_t size,
                   uint8_t* grey) {
  const Floats d;
  const size_t lanes = hn::Lanes(d);
  size_t i = 0;
  for (; i + lanes <= size; i += lanes) {
    const auto two = hn::Add(hn::Mul(hn::Set(d, 0.2989F), LoadPixels(red + i)),
                             hn::Mul(hn::Set(d, 0.587F), LoadPixels(green + i)));
    StorePixels(hn::Add(two, hn::Mul(hn::Set(d, 0.114F), LoadPixels(blue + i))), grey + i);
  }
  return i;
}

size_t BlendVectors(const uint8_t* image, const uint8_t* other, size_t size, float ratio,
                    float rest, uint8_t* out) {
  const Floats d;
  const size_t lanes = hn::Lanes(d);
  size_t i = 0;
  for (; i + lanes <= size; i += lanes) {
    StorePixels(hn::Add(hn::Mul(hn::Set(d, ratio), LoadPixels(image + i)),
                        hn::Mul(hn::Set(d, rest), LoadPixels(other + i))),
                out + i);
  }
  return i;
}

}  // namespace conadv::augment::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include <algorithm>
#include <cstring>

namespace conadv::augment {

HWY_EXPORT(GreyVectors);
HWY_EXPORT(BlendVectors);

void ReverseRow(const uint8_t* from, size_t size, uint8_t* to) {
  // Eight at a time, which reading and writing memory leaves no time to beat.
  size_t i = 0;
  for (; i + sizeof(uint64_t) <= size; i += sizeof(uint64_t)) {
    uint64_t eight;
    std::memcpy(&eight, from + size - i - sizeof(eight), sizeof(eight));
    eight = __builtin_bswap64(eight);
    std::memcpy(to + i, &eight, sizeof(eight));
  }
  for (; i < size; ++i) to[i] = from[size - 1 - i];
}

void GreyRow(const uint8_t* red, const uint8_t* green, const uint8_t* blue, size_t size,
             uint8_t* grey) {
  size_t i = HWY_DYNAMIC_DISPATCH(GreyVectors)(red, green, blue, size, grey);
  for (; i < size; ++i) {
    const float two = 0.2989F * static_cast<float>(red[i]) + 0.587F * static_cast<float>(green[i]);
    grey[i] = static_cast<uint8_t>(two + 0.114F * static_cast<float>(blue[i]));
  }
}

void BlendRow(const uint8_t* image, const uint8_t* other, size_t size, double ratio, uint8_t* out) {
  size_t i = HWY_DYNAMIC_DISPATCH(BlendVectors)(image, other, size, static_cast<float>(ratio),
                                                static_cast<float>(1.0 - ratio), out);
  for (; i < size; ++i) out[i] = Blend(image[i], other[i], ratio);
}

uint8_t Blend(float image, float other, double ratio) {
  const float sum = static_cast<float>(ratio) * image + static_cast<float>(1.0 - ratio) * other;
  return static_cast<uint8_t>(std::clamp(sum, 0.0F, 255.0F));
}

}  // namespace conadv::augment
#endif  // HWY_ONCE
