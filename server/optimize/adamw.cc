// SPDX-License-Identifier: Apache-2.0
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "server/optimize/adamw.cc"
// clang-format off
#include "hwy/foreach_target.h"
// clang-format on
#include "server/optimize/kernel-inl.h"
#include "server/optimize/moments-inl.h"
#include "server/optimize/moments.h"
#include "server/optimize/rule.h"

HWY_BEFORE_NAMESPACE();
namespace conadv::HWY_NAMESPACE {

// θ' = keep·θ − rate·m / (√v̂ + ε), where `rate` has m's bias correction in it.
StreamNorms AdamWLoop(const TensorUpdate& tensor, const MomentConstants& constants, float keep,
                      float rate, float* first, float* second, bool norms_known) {
  const Lane d;
  const auto keeps = hn::Set(d, keep);
  const auto rates = hn::Set(d, rate);
  return ForEachVector(tensor, norms_known, [&](size_t i) HWY_ATTR {
    const auto step = UpdateMoments(tensor, constants, first, second, i);
    const auto kept = hn::Mul(keeps, hn::Load(d, tensor.weights + i));
    hn::Store(hn::Sub(kept, hn::Mul(rates, step)), d, tensor.next + i);
  });
}

}  // namespace conadv::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace conadv {
namespace {

HWY_EXPORT(AdamWLoop);

class AdamW final : public Rule {
 public:
  AdamW(const AdamWOptions& options, size_t arena_size) : options_(options), moments_(arena_size) {}

  void Begin(uint64_t updates) override {
    constants_ = MomentConstants::At(updates, options_.beta1, options_.beta2, options_.epsilon);
  }
  bool NeedsMeasured(const TensorUpdate&) const override { return false; }

  StreamNorms Update(const TensorUpdate& tensor, const Measured* measured) override {
    const double rate = tensor.rate;
    const double decay = tensor.weight_decay;
    return HWY_DYNAMIC_DISPATCH(AdamWLoop)(tensor, constants_, static_cast<float>(1 - rate * decay),
                                           static_cast<float>(rate * constants_.correction1),
                                           moments_.first() + tensor.offset,
                                           moments_.second() + tensor.offset, measured != nullptr);
  }

  std::vector<Optimizer::StateTensor> state() override { return moments_.state(); }

 private:
  const AdamWOptions options_;
  Moments moments_;
  MomentConstants constants_;
};

}  // namespace

std::unique_ptr<Rule> MakeAdamW(const AdamWOptions& options, size_t arena_size) {
  return std::make_unique<AdamW>(options, arena_size);
}

}  // namespace conadv
#endif  // HWY_ONCE
