// SPDX-License-Identifier: Apache-2.0
// The two moving averages of Adam's family, and the constants of one update. Plain values; Moments
// owns its arenas.
#ifndef CONADV_SERVER_OPTIMIZE_MOMENTS_H_
#define CONADV_SERVER_OPTIMIZE_MOMENTS_H_

#include <cmath>
#include <cstdint>
#include <vector>

#include "common/tensor/arena.h"
#include "server/optimize/optimizer.h"

namespace conadv {

// m ← β₁·m + (1 − β₁)·g and v ← β₂·v + (1 − β₂)·g², with bias corrections m̂ = m / (1 − β₁ᵗ), v̂ = v
// / (1 − β₂ᵗ).
struct MomentConstants {
  float beta1 = 0;
  float beta2 = 0;
  float rest1 = 1;             // 1 − β₁
  float rest2 = 1;             // 1 − β₂
  double correction1 = 1;      // 1 / (1 − β₁ᵗ)
  float root_correction2 = 1;  // 1 / √(1 − β₂ᵗ)
  float epsilon = 0;

  static MomentConstants At(uint64_t t, float beta1, float beta2, float epsilon) {
    const double power = static_cast<double>(t);
    return {beta1,
            beta2,
            1 - beta1,
            1 - beta2,
            1 / (1 - std::pow(static_cast<double>(beta1), power)),
            static_cast<float>(1 / std::sqrt(1 - std::pow(static_cast<double>(beta2), power))),
            epsilon};
  }
};

class Moments {
 public:
  explicit Moments(size_t arena_size) : first_(arena_size), second_(arena_size) {
    first_.Zero();
    second_.Zero();
  }

  float* first() { return first_.data(); }
  float* second() { return second_.data(); }
  std::vector<Optimizer::StateTensor> state() {
    return {{"first_moment", first_.span()}, {"second_moment", second_.span()}};
  }

 private:
  Arena first_;
  Arena second_;
};

}  // namespace conadv

#endif  // CONADV_SERVER_OPTIMIZE_MOMENTS_H_
