// SPDX-License-Identifier: Apache-2.0
#include "tests/soak/tiny_run.h"

#include <vector>

#include "common/tensor/crc32c.h"
#include "common/tensor/layout.h"

namespace conadv {

v1::Job JobOf(const TinyRun& run) {
  v1::Job job;
  job.set_name("tiny");
  job.mutable_model()->set_builtin("mlp");
  job.mutable_dataset()->set_path("unused");
  v1::Training* training = job.mutable_training();
  training->set_algorithm(v1::Training::VANILLA);
  training->set_consistency(run.consistency);
  if (run.consistency == v1::Training::SSP) training->set_staleness_bound(16);
  training->set_global_batch(2 * run.slots);
  training->set_slots(run.slots);
  training->set_steps(run.steps);
  job.mutable_optimizer()->mutable_sgd()->set_momentum(0.5);
  job.mutable_schedule()->set_peak(0.1);
  job.mutable_server()->set_retain(run.retain);
  job.mutable_server()->set_checkpoint_every(run.checkpoint_every);
  job.mutable_evaluation()->set_attack_steps(0);
  return job;
}

Plan PlanOf(const TinyRun& run) {
  Plan plan;
  plan.tensors = {{"weight", {run.parameters / 40, 40}}, {"bias", {7}, TensorKind::kNoDecay}};
  plan.examples = 8 * run.slots;
  plan.steps = run.steps;
  const Layout layout = *Layout::Create(plan.tensors, 1);
  plan.initial_weights_crc32c = WeightsCrc32c(layout, std::vector<float>(layout.total_size(), 0));
  return plan;
}

}  // namespace conadv
