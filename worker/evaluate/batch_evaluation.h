// SPDX-License-Identifier: Apache-2.0
// What is found out about one batch. One thread at a time.
#ifndef CONADV_WORKER_EVALUATE_BATCH_EVALUATION_H_
#define CONADV_WORKER_EVALUATE_BATCH_EVALUATION_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "common/job/job.h"
#include "worker/evaluate/overfitting.h"
#include "worker/evaluate/suite/victims.h"
#include "worker/model/replica.h"

namespace conadv {

struct BatchTask {
  std::vector<uint64_t> indices;               // the examples', of the data set
  const EvaluationOptions* options = nullptr;  // nullptr: no attack
  uint64_t seed = 0;
  bool compare_passes = false;
  // The training's attack, to be checked for overfitting on the model as it attacks and trains
  // against it. Both or neither.
  const AttackOptions* training_attack = nullptr;
  Replica* adversary = nullptr;
  std::function<bool()> go_on;
  std::function<void(size_t attack)> on_attack;
};

struct BatchResult {
  int64_t right = 0;
  double loss = 0;                // sum
  std::vector<int64_t> standing;  // after each attack of the suite
  int64_t zero_gradients = 0;
  double pass_difference = 0;  // see EvaluationSigns
  std::optional<OverfittingCheck> overfitting;
};

BatchResult EvaluateBatch(Replica& replica, const HostBatch& batch, const BatchTask& task);

}  // namespace conadv

#endif  // CONADV_WORKER_EVALUATE_BATCH_EVALUATION_H_
