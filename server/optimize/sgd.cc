// SPDX-License-Identifier: Apache-2.0
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "server/optimize/sgd.cc"
// clang-format off
#include "hwy/foreach_target.h"
// clang-format on
#include "server/optimize/kernel-inl.h"
#include "server/optimize/rule.h"

HWY_BEFORE_NAMESPACE();
namespace conadv::HWY_NAMESPACE {

// `momentum` is nullptr for plain descent.
StreamNorms SgdLoop(const TensorUpdate& tensor, const SgdOptions& options, float* momentum,
                    bool norms_known) {
  const Lane d;
  const auto rate = hn::Set(d, tensor.rate);
  const auto decay = hn::Set(d, tensor.weight_decay);
  const auto mu = hn::Set(d, options.momentum);
  return ForEachVector(tensor, norms_known, [&](size_t i) HWY_ATTR {
    const auto theta = hn::Load(d, tensor.weights + i);
    auto step = hn::Add(Gradient(tensor, i), hn::Mul(decay, theta));
    if (momentum != nullptr) {
      const auto moved = hn::Add(hn::Mul(mu, hn::Load(d, momentum + i)), step);
      hn::Store(moved, d, momentum + i);
      step = options.nesterov ? hn::Add(step, hn::Mul(mu, moved)) : moved;
    }
    hn::Store(hn::Sub(theta, hn::Mul(rate, step)), d, tensor.next + i);
  });
}

}  // namespace conadv::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace conadv {
namespace {

HWY_EXPORT(SgdLoop);

class Sgd final : public Rule {
 public:
  Sgd(const SgdOptions& options, size_t arena_size)
      : options_(options), momentum_(options.momentum > 0 ? arena_size : 0) {
    momentum_.Zero();
  }

  void Begin(uint64_t) override {}
  bool NeedsMeasured(const TensorUpdate&) const override { return false; }

  StreamNorms Update(const TensorUpdate& tensor, const Measured* measured) override {
    float* momentum = momentum_.size() > 0 ? momentum_.data() + tensor.offset : nullptr;
    return HWY_DYNAMIC_DISPATCH(SgdLoop)(tensor, options_, momentum, measured != nullptr);
  }

  std::vector<Optimizer::StateTensor> state() override {
    if (momentum_.size() == 0) return {};
    return {{"momentum", momentum_.span()}};
  }

 private:
  const SgdOptions options_;
  Arena momentum_;
};

}  // namespace

std::unique_ptr<Rule> MakeSgd(const SgdOptions& options, size_t arena_size) {
  return std::make_unique<Sgd>(options, arena_size);
}

}  // namespace conadv
#endif  // HWY_ONCE
