// SPDX-License-Identifier: Apache-2.0
// One vector of Adam's moments; see kernel-inl.h for how it is included.
#if defined(CONADV_SERVER_OPTIMIZE_MOMENTS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef CONADV_SERVER_OPTIMIZE_MOMENTS_INL_H_
#undef CONADV_SERVER_OPTIMIZE_MOMENTS_INL_H_
#else
#define CONADV_SERVER_OPTIMIZE_MOMENTS_INL_H_
#endif

#include "server/optimize/kernel-inl.h"
#include "server/optimize/moments.h"

HWY_BEFORE_NAMESPACE();
namespace conadv::HWY_NAMESPACE {

// Moves both moments at element i and returns m / (√v̂ + ε): the correction of m is left to the
// caller.
HWY_INLINE hn::Vec<Lane> UpdateMoments(const TensorUpdate& tensor, const MomentConstants& constants,
                                       float* HWY_RESTRICT first, float* HWY_RESTRICT second,
                                       size_t i) {
  const Lane d;
  const auto g = Gradient(tensor, i);
  const auto m = hn::Add(hn::Mul(hn::Set(d, constants.beta1), hn::Load(d, first + i)),
                         hn::Mul(hn::Set(d, constants.rest1), g));
  const auto v = hn::Add(hn::Mul(hn::Set(d, constants.beta2), hn::Load(d, second + i)),
                         hn::Mul(hn::Mul(hn::Set(d, constants.rest2), g), g));
  hn::Store(m, d, first + i);
  hn::Store(v, d, second + i);
  const auto root = hn::Mul(hn::Sqrt(v), hn::Set(d, constants.root_correction2));
  return hn::Div(m, hn::Add(root, hn::Set(d, constants.epsilon)));
}

}  // namespace conadv::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // CONADV_SERVER_OPTIMIZE_MOMENTS_INL_H_
