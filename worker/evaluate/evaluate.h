// SPDX-License-Identifier: Apache-2.0
// Clean and robust accuracy of one version's weights on the test set. Blocks; uses threads of its
// own; a pure function of its other arguments.
#ifndef CONADV_WORKER_EVALUATE_EVALUATE_H_
#define CONADV_WORKER_EVALUATE_EVALUATE_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/job/job.h"
#include "common/protocol/evaluation.h"
#include "common/tensor/arena.h"
#include "common/tensor/layout.h"
#include "worker/data/dataset.h"
#include "worker/device/device.h"
#include "worker/evaluate/overfitting.h"
#include "worker/model/network.h"

namespace conadv {

struct EvaluationProgress {
  std::string stage;      // the attack, or whatever else is computed
  uint64_t examples = 0;  // of the stage in all
  uint64_t done = 0;
  uint64_t right = 0;     // of those done, without an attack
  uint64_t standing = 0;  // of those done, under every attack
};

struct EvaluationRun {
  bool robust = false;
  int threads = 1;
  uint64_t seed = 0;  // what choice and attacks are functions of
  // The training's: checked for overfitting on the first batch if there is one, with the BatchNorm
  // that the training attacks.
  std::optional<AttackOptions> training_attack;
  double best_alignment = 0;  // of the run's earlier checks
  // Called on the threads, after each batch and while attacks of the suite are under way; once it
  // is false the answer is CANCELLED.
  std::function<bool()> go_on = [] { return true; };
  // Called on the threads, one at a time; must not block. Empty: nobody is told.
  std::function<void(const EvaluationProgress&)> on_progress;
};

struct Evaluation {
  uint64_t examples = 0;
  double clean_accuracy = 0;  // fraction
  double clean_loss = 0;      // mean cross-entropy, without label smoothing
  bool robust = false;        // whether robust_accuracy was measured
  double robust_accuracy = 0;
  std::vector<NamedAccuracy> attacks;  // of a suite of several: after each, and those before it
  std::optional<OverfittingCheck> overfitting;
  std::vector<std::string> warnings;
};

// With the MAIN BatchNorm's running statistics. Robust accuracy is the share of examples that are
// classified right, and right too after each attack of options.suite on the same weights; it is
// measured if `run.robust` is set and options.attack_steps > 0. `weights` is the concatenation of
// all shards' arenas. INTERNAL: what LibTorch, or the system, said; besides, the data set's own
// errors. The result is the same for any number of threads. REQUIRES: run.threads ≥ 1; test has
// examples, and labels below the network's number of classes.
absl::StatusOr<Evaluation> Evaluate(const NetworkFactory& factory,
                                    const std::shared_ptr<const Layout>& layout,
                                    const std::shared_ptr<const Arena>& weights,
                                    const Dataset& test, Device& device,
                                    const EvaluationOptions& options, const EvaluationRun& run);

// A data set of `severities` blocks of as many examples each, the same ones again and again.
struct CorruptedSet {
  std::string name;
  std::shared_ptr<const Dataset> examples;
  uint64_t severities = 1;
};

// The accuracy on each, over its severities, on those examples that Evaluate() takes. Errors as
// there, after the set's name.
absl::StatusOr<std::vector<NamedAccuracy>> EvaluateCorruptions(
    const NetworkFactory& factory, const std::shared_ptr<const Layout>& layout,
    const std::shared_ptr<const Arena>& weights, const std::vector<CorruptedSet>& sets,
    Device& device, const EvaluationOptions& options, const EvaluationRun& run);

}  // namespace conadv

#endif  // CONADV_WORKER_EVALUATE_EVALUATE_H_
