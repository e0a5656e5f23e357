// SPDX-License-Identifier: Apache-2.0
// The attacks of an evaluation, one after the other on one batch; who has fallen is not attacked
// again. A pure function of its arguments.
#ifndef CONADV_WORKER_EVALUATE_SUITE_SUITE_H_
#define CONADV_WORKER_EVALUATE_SUITE_SUITE_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "common/job/job.h"
#include "worker/evaluate/suite/victims.h"

namespace conadv {

// "PGD-5", or "APGD-CE", "APGD-T", "Square" and "PGD-5", in the order in which they come. REQUIRES:
// options.attack_steps > 0.
std::vector<std::string> AttackNames(const EvaluationOptions& options);

struct SuiteCounts {
  std::vector<int64_t> standing;  // after each attack, and those before it
  int64_t zero_gradients = 0;     // of those that the first attack was given
};

// `right`, [n] of bool: who is classified right without an attack; nobody else can stand.
// `on_attack` is told of each attack before it begins. When `context.go_on` is false the counts
// mean nothing.
SuiteCounts RunSuite(const AttackContext& context, const Victims& batch, const torch::Tensor& right,
                     const EvaluationOptions& options,
                     const std::function<void(size_t attack)>& on_attack);

}  // namespace conadv

#endif  // CONADV_WORKER_EVALUATE_SUITE_SUITE_H_
