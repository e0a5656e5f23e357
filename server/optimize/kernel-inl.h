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

// sum += x ⊙ y, over one block.
HWY_INLINE void AddProducts(const float* x, const float* y, Sum* sum) {
  const DoubleLane d;
  const hn::Rebind<float, DoubleLane> half;
  for (size_t i = 0; i < kBlock; i += hn::Lanes(d)) {
    const auto a = hn::PromoteTo(d, hn::Load(half, x + i));
    const auto b = hn::PromoteTo(d, hn::Load(half, y + i));
    hn::Store(hn::Add(hn::Load(d, sum->lanes + i), hn::Mul(a, b)), d, sum->lanes + i);
  }
}

HWY_INLINE void AddSquares(const float* x, Sum* sum) { AddProducts(x, x, sum); }

class StreamSums {
 public:
  explicit StreamSums(const TensorUpdate& tensor) {
    for (size_t s = 0; s < tensor.streams; ++s) {
      if (tensor.sum[s] != nullptr) present_[count_++] = s;
    }
  }

  HWY_INLINE void Add(const TensorUpdate& tensor, size_t block) {
    // What nearly every update has, in one pass over both.
    if (count_ == 2 && present_[0] == 0) {
      return AddBoth(tensor.sum[0] + block, tensor.sum[present_[1]] + block);
    }
    for (size_t p = 0; p < count_; ++p) AddSquares(tensor.sum[present_[p]] + block, &square_[p]);
    if (count_ < 2 || present_[0] != 0) return;
    const float* const first = tensor.sum[0] + block;
    for (size_t p = 1; p < count_; ++p) {
      AddProducts(first, tensor.sum[present_[p]] + block, &dot_[p]);
    }
  }
  // Whether the norm of the sum of all streams follows from theirs and their products.
  bool HasSumsNorm() const { return count_ == 1 || (count_ == 2 && present_[0] == 0); }
  // ‖Σ scale[s] · sum[s]‖². REQUIRES: HasSumsNorm().
  double SumsSquare(const TensorUpdate& tensor) const {
    const double first = tensor.scale[present_[0]];
    double square = first * first * square_[0].Total();
    if (count_ == 2) {
      const double second = tensor.scale[present_[1]];
      square += second * second * square_[1].Total() + 2 * first * second * dot_[1].Total();
    }
    // Of streams that cancel out, rounding may leave less than nothing.
    return square < 0 ? 0 : square;
  }
  StreamNorms Total() const {
    StreamNorms norms;
    for (size_t p = 0; p < count_; ++p) {
      norms.square[present_[p]] = square_[p].Total();
      norms.dot[present_[p]] = dot_[p].Total();
    }
    return norms;
  }

 private:
  HWY_INLINE void AddBoth(const float* first, const float* second) {
    const DoubleLane d;
    const hn::Rebind<float, DoubleLane> half;
    const auto add = [&d](hn::Vec<DoubleLane> x, hn::Vec<DoubleLane> y, double* lanes) HWY_ATTR {
      hn::Store(hn::Add(hn::Load(d, lanes), hn::Mul(x, y)), d, lanes);
    };
    for (size_t i = 0; i < kBlock; i += hn::Lanes(d)) {
      const auto a = hn::PromoteTo(d, hn::Load(half, first + i));
      const auto b = hn::PromoteTo(d, hn::Load(half, second + i));
      add(a, a, square_[0].lanes + i);
      add(b, b, square_[1].lanes + i);
      add(a, b, dot_[1].lanes + i);
    }
  }

  size_t count_ = 0;  // of the streams that have a sum
  size_t present_[kMostStreams] = {};
  Sum square_[kMostStreams];
  Sum dot_[kMostStreams];  // with the first stream
};

// The gradient of tensor_update.h at element i, one vector of it.
HWY_INLINE hn::Vec<Lane> Gradient(const TensorUpdate& tensor, size_t i) {
  const Lane d;
  auto u = hn::Zero(d);
  if (tensor.sum[0] != nullptr) {
    u = hn::Mul(hn::Set(d, tensor.scale[0]), hn::Load(d, tensor.sum[0] + i));
  }
  // Without a loop over a number known only now: it would be in the innermost one.
  const auto add = [&](size_t s) HWY_ATTR {
    if (tensor.sum[s] == nullptr) return;
    u = hn::Add(u, hn::Mul(hn::Set(d, tensor.scale[s]), hn::Load(d, tensor.sum[s] + i)));
  };
  static_assert(kMostStreams == 4, "one line for each but the first");
  add(1);
  if (tensor.streams > 2) {
    add(2);
    add(3);
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
  StreamSums sums(tensor);
  for (size_t block = 0; block < tensor.size; block += kBlock) {
    if (!norms_known) sums.Add(tensor, block);
    for (size_t i = 0; i < kBlock; i += hn::Lanes(Lane())) step(block + i);
  }
  return sums.Total();
}

}  // namespace conadv::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // CONADV_SERVER_OPTIMIZE_KERNEL_INL_H_
