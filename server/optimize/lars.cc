// SPDX-License-Identifier: Apache-2.0
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "server/optimize/lars.cc"
// clang-format off
#include "hwy/foreach_target.h"
// clang-format on
#include "server/optimize/kernel-inl.h"
#include "server/optimize/rule.h"

HWY_BEFORE_NAMESPACE();
namespace conadv::HWY_NAMESPACE {

StreamNorms LarsLoop(const TensorUpdate& tensor, float rate, float decay, float mu, float* momentum,
                     bool norms_known) {
  const Lane d;
  const auto rates = hn::Set(d, rate);
  const auto decays = hn::Set(d, decay);
  const auto mus = hn::Set(d, mu);
  return ForEachVector(tensor, norms_known, [&](size_t i) HWY_ATTR {
    const auto theta = hn::Load(d, tensor.weights + i);
    const auto step = hn::Mul(rates, hn::Add(Gradient(tensor, i), hn::Mul(decays, theta)));
    const auto moved = hn::Add(hn::Mul(mus, hn::Load(d, momentum + i)), step);
    hn::Store(moved, d, momentum + i);
    hn::Store(hn::Sub(theta, moved), d, tensor.next + i);
  });
}

}  // namespace conadv::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include <cmath>

namespace conadv {
namespace {

HWY_EXPORT(LarsLoop);

class Lars final : public Rule {
 public:
  Lars(const LarsOptions& options, size_t arena_size) : options_(options), momentum_(arena_size) {
    momentum_.Zero();
  }

  void Begin(uint64_t) override {}
  bool NeedsMeasured(const TensorUpdate& tensor) const override { return tensor.trust_ratio; }

  StreamNorms Update(const TensorUpdate& tensor, const Measured* measured) override {
    const double ratio = tensor.trust_ratio ? Ratio(tensor, *measured) : 1;
    return HWY_DYNAMIC_DISPATCH(LarsLoop)(tensor, static_cast<float>(tensor.rate * ratio),
                                          tensor.weight_decay, options_.momentum,
                                          momentum_.data() + tensor.offset, measured != nullptr);
  }

  std::vector<Optimizer::StateTensor> state() override { return {{"momentum", momentum_.span()}}; }

 private:
  double Ratio(const TensorUpdate& tensor, const Measured& measured) const {
    const double weights = std::sqrt(measured.weights);
    const double gradient = std::sqrt(measured.gradient) * tensor.gradient_scale;
    if (weights == 0 || gradient == 0) return 1;
    return options_.trust * weights / (gradient + tensor.weight_decay * weights);
  }

  const LarsOptions options_;
  Arena momentum_;
};

}  // namespace

std::unique_ptr<Rule> MakeLars(const LarsOptions& options, size_t arena_size) {
  return std::make_unique<Lars>(options, arena_size);
}

}  // namespace conadv
#endif  // HWY_ONCE
