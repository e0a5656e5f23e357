// SPDX-License-Identifier: Apache-2.0
#include "server/optimize/schedule.h"

#include <algorithm>
#include <cmath>
#include <variant>

namespace conadv {
namespace {

// What a decay needs to know: `progress` since warm-up and `fraction` of the whole run, both in [0,
// 1).
struct DecayFactor {
  double progress;
  double fraction;

  double operator()(const ConstantDecay&) const { return 1; }
  double operator()(const PolyDecay& decay) const {
    return std::pow(1 - progress, static_cast<double>(decay.power));
  }
  double operator()(const CosineDecay&) const {
    return (1 + std::cos(3.14159265358979323846 * progress)) / 2;
  }
  double operator()(const StepDecay& decay) const {
    const auto passed = std::count_if(decay.milestones.begin(), decay.milestones.end(),
                                      [this](double milestone) { return milestone <= fraction; });
    return std::pow(static_cast<double>(decay.factor), static_cast<double>(passed));
  }
};

}  // namespace

float Rate(const ScheduleOptions& options, uint64_t step, uint64_t steps) {
  const double t = static_cast<double>(step);
  const double total = static_cast<double>(steps);
  const double warmup = std::round(options.warmup * total);
  const double peak = options.peak;
  if (t < warmup) return static_cast<float>(peak * (t + 1) / warmup);
  const DecayFactor factor{(t - warmup) / (total - warmup), t / total};
  return static_cast<float>(peak * std::visit(factor, options.decay));
}

}  // namespace conadv
