// SPDX-License-Identifier: Apache-2.0
// What makes an evaluation less to be believed, as AutoAttack warns of it
// (https://github.com/fra31/auto-attack, "Checks"). Pure functions.
#ifndef CONADV_WORKER_EVALUATE_WARNINGS_H_
#define CONADV_WORKER_EVALUATE_WARNINGS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "common/protocol/evaluation.h"

namespace conadv {

struct EvaluationSigns {
  uint64_t examples = 0;
  uint64_t zero_gradients = 0;  // of them, under the cross-entropy
  // The largest difference between two passes of the same images, as a part of the logits' norm.
  double pass_difference = 0;
  // After each attack, and those before it.
  std::vector<NamedAccuracy> attacks;
};

std::vector<std::string> WarningsOf(const EvaluationSigns& signs);

}  // namespace conadv

#endif  // CONADV_WORKER_EVALUATE_WARNINGS_H_
