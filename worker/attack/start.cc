// SPDX-License-Identifier: Apache-2.0
#include "worker/attack/start.h"

#include <algorithm>
#include <cmath>

#include "common/base/random.h"

namespace conadv {
namespace {

Random Draws(const AttackSeed& seed, Purpose purpose) {
  return Random(seed.seed, purpose, seed.unit.step.value(),
                static_cast<uint32_t>(seed.unit.slot.value()));
}

void FillBox(Random& random, float radius, float* values, int64_t n) {
  for (int64_t i = 0; i < n; ++i) values[i] = (2 * random.NextFloat() - 1) * radius;
}

// A normal vector points in a uniform direction; the radius' distribution function is r^n.
void FillBall(Random& random, float epsilon, float* values, int64_t n) {
  double squares = 0;
  for (int64_t i = 0; i < n; ++i) {
    values[i] = random.NextGaussian();
    squares += static_cast<double>(values[i]) * values[i];
  }
  const double radius = epsilon * std::pow(random.NextFloat(), 1.0 / static_cast<double>(n));
  const auto scale = static_cast<float>(squares > 0 ? radius / std::sqrt(squares) : 0);
  for (int64_t i = 0; i < n; ++i) values[i] *= scale;
}

}  // namespace

torch::Tensor RandomOffsets(torch::IntArrayRef shape, const AttackOptions& options,
                            const AttackSeed& seed, Device& device) {
  const torch::Tensor offsets = torch::zeros(shape, torch::kFloat32);
  const float radius = options.start_radius > 0 ? options.start_radius : options.epsilon;
  if (options.step == AttackStep::kRaw || !(radius > 0) || offsets.numel() == 0)
    return device.Place(offsets);
  Random random = Draws(seed, Purpose::kAttackStart);
  const int64_t n = offsets.numel() / shape[0];
  auto* values = offsets.data_ptr<float>();
  for (int64_t example = 0; example < shape[0]; ++example, values += n) {
    if (random.NextFloat() >= options.random_start) continue;
    if (options.step == AttackStep::kSign) {
      FillBox(random, radius, values, n);
    } else {
      FillBall(random, radius, values, n);
    }
  }
  return device.Place(offsets);
}

torch::Tensor WrongClasses(const torch::Tensor& labels, int64_t classes, const AttackSeed& seed,
                           Device& device) {
  Random random = Draws(seed, Purpose::kAttackTarget);
  const auto others = static_cast<uint64_t>(std::max<int64_t>(1, classes - 1));
  // How far the class lies from the label, in a circle of all classes: the labels stay where they
  // are.
  const torch::Tensor distances = torch::empty({labels.numel()}, torch::kInt64);
  auto* values = distances.data_ptr<int64_t>();
  for (int64_t i = 0; i < distances.numel(); ++i) {
    values[i] = 1 + static_cast<int64_t>(random.Below(others));
  }
  return (labels.detach() + device.Place(distances)).remainder(classes);
}

}  // namespace conadv
