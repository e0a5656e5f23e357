// SPDX-License-Identifier: Apache-2.0
#include "worker/evaluate/suite/ball.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace conadv {
namespace {

constexpr float kTiny = std::numeric_limits<float>::min();

// Shape: [n].
void FillLinf(Random& random, float radius, StartFrom from, float* values, int64_t n) {
  float largest = kTiny;
  for (int64_t i = 0; i < n; ++i) {
    values[i] = 2 * random.NextFloat() - 1;
    largest = std::max(largest, std::abs(values[i]));
  }
  const float scale = from == StartFrom::kSurface ? radius / largest : radius;
  for (int64_t i = 0; i < n; ++i) values[i] *= scale;
}

// A normal vector points in a uniform direction; the radius' distribution function is r^n.
void FillL2(Random& random, float radius, StartFrom from, float* values, int64_t n) {
  double squares = 0;
  for (int64_t i = 0; i < n; ++i) {
    values[i] = random.NextGaussian();
    squares += static_cast<double>(values[i]) * values[i];
  }
  const double share =
      from == StartFrom::kSurface ? 1 : std::pow(random.NextFloat(), 1.0 / static_cast<double>(n));
  const auto scale = static_cast<float>(squares > 0 ? radius * share / std::sqrt(squares) : 0);
  for (int64_t i = 0; i < n; ++i) values[i] *= scale;
}

}  // namespace

torch::Tensor PerExample(const torch::Tensor& values) { return values.view({-1, 1, 1, 1}); }

torch::Tensor NormsOf(const torch::Tensor& images) {
  const torch::Tensor rows = images.flatten(1);
  const torch::Tensor largest = std::get<0>(rows.abs().max(1, /*keepdim=*/true)).clamp_min(kTiny);
  return PerExample((rows / largest).norm(2, 1, /*keepdim=*/true) * largest);
}

torch::Tensor ProjectTo(const Ball& ball, const torch::Tensor& images,
                        const torch::Tensor& center) {
  if (ball.norm == EvaluationNorm::kLinf) {
    return torch::max(torch::min(images, center + ball.radius), center - ball.radius).clamp(0, 1);
  }
  const torch::Tensor moved = images - center;
  const torch::Tensor norms = NormsOf(moved);
  // The center is in [0, 1]: the clamp brings nothing further from it.
  return torch::where(norms > ball.radius, center + moved * (ball.radius / norms), images)
      .clamp(0, 1);
}

torch::Tensor SteepestIn(EvaluationNorm norm, const torch::Tensor& gradient) {
  if (norm == EvaluationNorm::kLinf) return gradient.sign();
  return gradient / NormsOf(gradient).clamp_min(kTiny);
}

torch::Tensor RandomStarts(const AttackContext& context, const Victims& victims, Draw attack,
                           uint32_t restart, StartFrom from) {
  const torch::Tensor offsets = torch::empty(victims.images.sizes(), torch::kFloat32);
  const int64_t n = victims.size() == 0 ? 0 : offsets.numel() / victims.size();
  auto* values = offsets.data_ptr<float>();
  for (const uint64_t index : victims.indices) {
    Random random = DrawsOf(context.seed, index, attack, restart);
    if (context.ball.norm == EvaluationNorm::kLinf) {
      FillLinf(random, context.ball.radius, from, values, n);
    } else {
      FillL2(random, context.ball.radius, from, values, n);
    }
    values += n;
  }
  return ProjectTo(context.ball, victims.images + context.replica->device().Place(offsets),
                   victims.images);
}

}  // namespace conadv
