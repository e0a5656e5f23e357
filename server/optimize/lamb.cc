// SPDX-License-Identifier: Apache-2.0
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "server/optimize/lamb.cc"
// clang-format off
#include "hwy/foreach_target.h"
// clang-format on
#include "server/optimize/kernel-inl.h"
#include "server/optimize/moments-inl.h"
#include "server/optimize/moments.h"
#include "server/optimize/rule.h"

HWY_BEFORE_NAMESPACE();
namespace conadv::HWY_NAMESPACE {

// Moves the moments and leaves the direction u in tensor.next; u's norm comes as the gradient's.
Measured LambDirectionLoop(const TensorUpdate& tensor, const MomentConstants& constants,
                           float decay, float* first, float* second, bool norms_known) {
  const Lane d;
  const auto decays = hn::Set(d, decay);
  const auto correction = hn::Set(d, static_cast<float>(constants.correction1));
  StreamSums streams(tensor);
  Sum direction;
  Sum weights;
  for (size_t block = 0; block < tensor.size; block += kBlock) {
    if (!norms_known) streams.Add(tensor, block);
    for (size_t i = block; i < block + kBlock; i += hn::Lanes(d)) {
      const auto step = hn::Mul(correction, UpdateMoments(tensor, constants, first, second, i));
      const auto theta = hn::Load(d, tensor.weights + i);
      hn::Store(hn::Add(step, hn::Mul(decays, theta)), d, tensor.next + i);
    }
    AddSquares(tensor.next + block, &direction);
    AddSquares(tensor.weights + block, &weights);
  }
  return {streams.Total(), direction.Total(), weights.Total()};
}

void LambStepLoop(const TensorUpdate& tensor, float rate) {
  const Lane d;
  const auto rates = hn::Set(d, rate);
  for (size_t i = 0; i < tensor.size; i += hn::Lanes(d)) {
    const auto step = hn::Mul(rates, hn::Load(d, tensor.next + i));
    hn::Store(hn::Sub(hn::Load(d, tensor.weights + i), step), d, tensor.next + i);
  }
}

}  // namespace conadv::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include <cmath>

namespace conadv {
namespace {

HWY_EXPORT(LambDirectionLoop);
HWY_EXPORT(LambStepLoop);

class Lamb final : public Rule {
 public:
  Lamb(const LambOptions& options, size_t arena_size) : options_(options), moments_(arena_size) {}

  void Begin(uint64_t updates) override {
    constants_ = MomentConstants::At(updates, options_.beta1, options_.beta2, options_.epsilon);
  }
  bool NeedsMeasured(const TensorUpdate&) const override { return false; }
  // The norm of the direction is found on the way.
  bool TakesParts() const override { return false; }

  StreamNorms Update(const TensorUpdate& tensor, const Measured* measured) override {
    const Measured found = HWY_DYNAMIC_DISPATCH(LambDirectionLoop)(
        tensor, constants_, tensor.weight_decay, moments_.first() + tensor.offset,
        moments_.second() + tensor.offset, measured != nullptr);
    double ratio = 1;
    if (tensor.trust_ratio && found.weights > 0 && found.gradient > 0) {
      ratio = std::sqrt(found.weights) / std::sqrt(found.gradient);
    }
    HWY_DYNAMIC_DISPATCH(LambStepLoop)(tensor, static_cast<float>(tensor.rate * ratio));
    return found.streams;
  }

  std::vector<Optimizer::StateTensor> state() override { return moments_.state(); }

 private:
  const LambOptions options_;
  Moments moments_;
  MomentConstants constants_;
};

}  // namespace

std::unique_ptr<Rule> MakeLamb(const LambOptions& options, size_t arena_size) {
  return std::make_unique<Lamb>(options, arena_size);
}

}  // namespace conadv
#endif  // HWY_ONCE
