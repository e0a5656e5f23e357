// SPDX-License-Identifier: Apache-2.0
// Clean and robust accuracy of one version's weights on the test set. Blocks; uses `threads`
// threads of its own; a pure function of its other arguments.
#ifndef CONADV_WORKER_EVALUATE_EVALUATE_H_
#define CONADV_WORKER_EVALUATE_EVALUATE_H_

#include <cstdint>
#include <functional>
#include <memory>

#include "absl/status/statusor.h"
#include "common/job/job.h"
#include "common/tensor/arena.h"
#include "common/tensor/layout.h"
#include "worker/data/dataset.h"
#include "worker/device/device.h"
#include "worker/model/network.h"

namespace conadv {

struct Evaluation {
  uint64_t examples = 0;
  double clean_accuracy = 0;  // fraction
  double clean_loss = 0;      // mean cross-entropy, without label smoothing
  bool robust = false;        // whether robust_accuracy was measured
  double robust_accuracy = 0;
};

// With the MAIN BatchNorm's running statistics. Robust accuracy is under L∞ PGD of
// options.attack_steps steps from the image itself (arXiv 1706.06083), on the same weights; it is
// measured if `robust` is set and attack_steps > 0. `weights` is the concatenation of all shards'
// arenas. `go_on` is called after each batch, on the threads; once it is false the answer is
// CANCELLED. INTERNAL: what LibTorch, or the system, said; besides, the data set's own errors. The
// result is the same for any number of threads. REQUIRES: threads ≥ 1; test has examples, and
// labels below the network's number of classes.
absl::StatusOr<Evaluation> Evaluate(
    const NetworkFactory& factory, const std::shared_ptr<const Layout>& layout,
    const std::shared_ptr<const Arena>& weights, const Dataset& test, Device& device,
    const EvaluationOptions& options, bool robust, int threads,
    const std::function<bool()>& go_on = [] { return true; });

}  // namespace conadv

#endif  // CONADV_WORKER_EVALUATE_EVALUATE_H_
