// SPDX-License-Identifier: Apache-2.0
#include "worker/attack/cosine.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

namespace conadv {
namespace {

// One example a row, each divided by its largest element: squares of small gradients would vanish.
torch::Tensor Rows(const torch::Tensor& gradient) {
  const torch::Tensor rows = gradient.flatten(1);
  const torch::Tensor largest = std::get<0>(rows.abs().max(1, /*keepdim=*/true));
  return rows / largest.clamp_min(std::numeric_limits<float>::min());
}

}  // namespace

std::optional<float> MeanCosine(const torch::Tensor& a, const torch::Tensor& b) {
  torch::NoGradGuard no_grad;
  if (a.numel() == 0) return std::nullopt;
  const torch::Tensor rows_a = Rows(a);
  const torch::Tensor rows_b = Rows(b);
  const torch::Tensor norms = rows_a.norm(2, 1) * rows_b.norm(2, 1);
  // What is not a number counts, so that it shows in the sum.
  const torch::Tensor counts = norms.ne(0);
  const auto counted = counts.sum().item<int64_t>();
  if (counted == 0) return std::nullopt;
  const torch::Tensor products = (rows_a * rows_b).sum(1);
  const torch::Tensor cosines =
      torch::where(counts, products / norms, torch::zeros_like(products)).clamp(-1, 1);
  const float mean = cosines.sum().item<float>() / static_cast<float>(counted);
  if (!std::isfinite(mean)) return std::nullopt;
  return std::clamp(mean, -1.0F, 1.0F);
}

}  // namespace conadv
