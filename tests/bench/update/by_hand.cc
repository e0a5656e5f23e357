// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/update/by_hand.h"

#include <cmath>

// The compiler's own vectors, for the machine that it runs on.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define CONADV_CLONES __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define CONADV_CLONES
#endif

namespace conadv::bench {
namespace {

CONADV_CLONES void Step(const ByHand& t, float rate) {
  const float* __restrict theta = t.theta;
  const float* __restrict clean = t.clean;
  const float* __restrict adversarial = t.adversarial;
  float* __restrict momentum = t.momentum;
  float* __restrict next = t.next;
  const float mu = t.mu, decay = t.decay;
  for (size_t i = 0; i < t.size; ++i) {
    const float moved = mu * momentum[i] + clean[i] + adversarial[i] + decay * theta[i];
    momentum[i] = moved;
    next[i] = theta[i] - rate * moved;
  }
}

CONADV_CLONES void Norms(const ByHand& t, double* weights, double* gradient) {
  constexpr size_t kLanes = 16;
  double w[kLanes] = {}, g[kLanes] = {};
  for (size_t i = 0; i + kLanes <= t.size; i += kLanes) {
    for (size_t k = 0; k < kLanes; ++k) {
      const double a = t.theta[i + k];
      const double b = t.clean[i + k] + t.adversarial[i + k];
      w[k] += a * a;
      g[k] += b * b;
    }
  }
  for (size_t k = 0; k < kLanes; ++k) {
    *weights += w[k];
    *gradient += g[k];
  }
}

}  // namespace

void SgdByHand(const ByHand& tensor) { Step(tensor, tensor.rate); }

void LarsByHand(const ByHand& tensor) {
  double weights = 0, gradient = 0;
  Norms(tensor, &weights, &gradient);
  weights = std::sqrt(weights);
  const double ratio =
      tensor.trust * weights / (std::sqrt(gradient) + static_cast<double>(tensor.decay) * weights);
  Step(tensor, static_cast<float>(tensor.rate * ratio));
}

}  // namespace conadv::bench
