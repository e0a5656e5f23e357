// SPDX-License-Identifier: Apache-2.0
// What an attack of the suite is given, and what it gives back. Plain values.
#ifndef CONADV_WORKER_EVALUATE_SUITE_VICTIMS_H_
#define CONADV_WORKER_EVALUATE_SUITE_VICTIMS_H_

#include <torch/torch.h>

#include <cstdint>
#include <functional>
#include <vector>

#include "common/base/random.h"
#include "common/job/job.h"
#include "worker/model/replica.h"

namespace conadv {

struct Ball {
  EvaluationNorm norm = EvaluationNorm::kLinf;
  float radius = 0;  // in pixel units [0, 1]
};

// Some examples of a batch.
struct Victims {
  torch::Tensor images;           // [n, c, h, w] in [0, 1], on the device
  torch::Tensor labels;           // [n], int64, on the device
  std::vector<uint64_t> indices;  // [n], of the data set: what random numbers are a function of

  int64_t size() const { return images.size(0); }
};

// One thread at a time.
struct AttackContext {
  Replica* replica = nullptr;
  Ball ball;
  uint64_t seed = 0;
  // Called now and then, at least once for each hundred passes; false: the result is not wanted any
  // more.
  std::function<bool()> go_on;
};

struct AttackOutcome {
  // As the victims' images, each within the ball around its own and within [0, 1].
  torch::Tensor images;
  // Victims whose cross-entropy had no gradient at all where the attack began; 0 where it takes
  // none.
  int64_t zero_gradients = 0;
};

enum class Draw : uint32_t { kPgd, kApgdCe, kApgdTargeted, kSquare, kAlignment };

// An example's random numbers in one restart of an attack. REQUIRES: restart < 65536.
inline Random DrawsOf(uint64_t seed, uint64_t index, Draw attack, uint32_t restart) {
  return {seed, Purpose::kEvaluation, index, static_cast<uint32_t>(attack) << 16 | restart};
}

}  // namespace conadv

#endif  // CONADV_WORKER_EVALUATE_SUITE_VICTIMS_H_
