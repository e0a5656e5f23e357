// SPDX-License-Identifier: Apache-2.0
// What the vector loops of all rules share. Included once for each instruction set, by files that
// include hwy/foreach_target.h first.
//
// Everything goes by blocks of 16 elements, whatever the vectors' width, and every sum has 16 lanes
// of double, added up in one fixed order. So the bits depend neither on the instruction set nor on
// where a tensor lies.
#if defined(CONADV_SERVER_OPTIMIZE_KERNEL_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef CONADV_SERVER_OPTIMIZE_KERNEL_INL_H_
#undef CONADV_SERVER_OPTIMIZE_KERNEL_INL_H_
#else
#define CONADV_SERVER_OPTIMIZE_KERNEL_INL_H_
#endif

#include <cstddef>

#include "hwy/highway.h"
#include "server/optimize/tensor_update.h"

HWY_BEFORE_NAMESPACE();
namespace conadv::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

constexpr size_t kBlock = 16;

using Lane = hn::CappedTag<float, kBlock>;
using DoubleLane = hn::CappedTag<double, kBlock>;

struct Sum {
  alignas(64) double lanes[kBlock] = {};

  double Total() const {
    double total = 0;
    for (const double lane : lanes) total += lane;
    return total;
  }
};

// sum += x ⊙ x, over one block.
HWY_INLINE void AddSquares(const float* HWY_RESTRICT x, Sum* sum) {
  const DoubleLane d;
  const hn::Rebind<float, DoubleLane> half;
  for (size_t i = 0; i < kBlock; i += hn::Lanes(d)) {
    const auto value = hn::PromoteTo(d, hn::Load(half, x + i));
    hn::Store(hn::Add(hn::Load(d, sum->lanes + i), hn::Mul(value, value)), d, sum->lanes + i);
  }
}

struct StreamSums {
  Sum clean;
  Sum adversarial;
  Sum dot;

  HWY_INLINE void Add(const TensorUpdate& tensor, size_t block) {
    if (tensor.adversarial == nullptr) return AddSquares(tensor.clean + block, &clean);
    if (tensor.clean == nullptr) return AddSquares(tensor.adversarial + block, &adversarial);
    const DoubleLane d;
    const hn::Rebind<float, DoubleLane> half;
    const auto add = [&d](hn::Vec<DoubleLane> x, hn::Vec<DoubleLane> y, double* lanes) HWY_ATTR {
      hn::Store(hn::Add(hn::Load(d, lanes), hn::Mul(x, y)), d, lanes);
    };
    for (size_t i = 0; i < kBlock; i += hn::Lanes(d)) {
      const auto c = hn::PromoteTo(d, hn::Load(half, tensor.clean + block + i));
      const auto a = hn::PromoteTo(d, hn::Load(half, tensor.adversarial + block + i));
      add(c, c, clean.lanes + i);
      add(a, a, adversarial.lanes + i);
      add(c, a, dot.lanes + i);
    }
  }
  StreamNorms Total() const { return {clean.Total(), adversarial.Total(), dot.Total()}; }
};

// The gradient of tensor_update.h at element i, one vector of it.
HWY_INLINE hn::Vec<Lane> Gradient(const TensorUpdate& tensor, size_t i) {
  const Lane d;
  auto u = hn::Zero(d);
  if (tensor.clean != nullptr) {
    u = hn::Mul(hn::Set(d, tensor.clean_scale), hn::Load(d, tensor.clean + i));
  }
  if (tensor.adversarial != nullptr) {
    u = hn::Add(u,
                hn::Mul(hn::Set(d, tensor.adversarial_scale), hn::Load(d, tensor.adversarial + i)));
  }
  if (tensor.used != nullptr) {
    const auto moved = hn::Sub(hn::Load(d, tensor.weights + i), hn::Load(d, tensor.used + i));
    const auto square = hn::Mul(hn::Mul(hn::Set(d, tensor.compensation), u), u);
    u = hn::Add(u, hn::Mul(square, moved));
  }
  return hn::Mul(hn::Set(d, tensor.gradient_scale), u);
}

// Calls step(i) for every vector of the tensor, and adds up the streams' norms on the way unless it
// is told that they are known: then all are 0.
template <class StepFunction>
HWY_INLINE StreamNorms ForEachVector(const TensorUpdate& tensor, bool norms_known,
                                     const StepFunction& step) {
  StreamSums sums;
  for (size_t block = 0; block < tensor.size; block += kBlock) {
    if (!norms_known) sums.Add(tensor, block);
    for (size_t i = 0; i < kBlock; i += hn::Lanes(Lane())) step(block + i);
  }
  return sums.Total();
}

}  // namespace conadv::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // CONADV_SERVER_OPTIMIZE_KERNEL_INL_H_
