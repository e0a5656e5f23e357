// SPDX-License-Identifier: Apache-2.0
// Catastrophic overfitting: a model that withstands the attack it is trained with and no other
// (arXiv 2001.03994). Seen from a stronger attack on a few examples, and earlier from how well the
// gradients at two points of a ball agree (arXiv 2007.02617).
#ifndef CONADV_WORKER_EVALUATE_OVERFITTING_H_
#define CONADV_WORKER_EVALUATE_OVERFITTING_H_

#include <cstdint>
#include <optional>
#include <string>

#include "common/job/job.h"
#include "worker/evaluate/suite/victims.h"

namespace conadv {

struct OverfittingCheck {
  int64_t examples = 0;
  double own_accuracy = 0;  // under the training's attack, from the images and without a target
  double pgd_accuracy = 0;  // under more and smaller steps in the same ball
  // Mean cosine of the gradients at each image and at a random point of its ball; 0 if there are
  // none.
  double alignment = 0;
};

// Steps of the stronger attack, each a quarter of the radius.
inline constexpr uint32_t kCheckSteps = 10;

// Nothing for an attack without a ball. About steps + 12 forward and backward passes of `batch`.
std::optional<OverfittingCheck> CheckOverfitting(Replica& replica, const Victims& batch,
                                                 const AttackOptions& attack, uint64_t seed);

// What the check means, in words; empty if nothing is the matter. `best_alignment` is the highest
// of the run's earlier checks; 0: there was none. Pure.
std::string OverfittingWarning(const OverfittingCheck& check, double best_alignment);

}  // namespace conadv

#endif  // CONADV_WORKER_EVALUATE_OVERFITTING_H_
