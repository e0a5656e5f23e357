// SPDX-License-Identifier: Apache-2.0
#include "worker/evaluate/batch_evaluation.h"

#include <utility>

#include "worker/evaluate/suite/losses.h"
#include "worker/evaluate/suite/suite.h"

namespace conadv {
namespace {

// With other random numbers each time, for a model that draws any.
double PassDifference(Replica& replica, const torch::Tensor& images) {
  replica.SetSeed(1);
  const torch::Tensor one = replica.Forward(images);
  replica.SetSeed(2);
  const torch::Tensor other = replica.Forward(images);
  replica.SetSeed(0);
  return ((one - other).norm() / one.norm().clamp_min(1e-12)).item<double>();
}

}  // namespace

BatchResult EvaluateBatch(Replica& replica, const HostBatch& batch, const BatchTask& task) {
  const Inputs inputs = replica.device().PlaceInputs(batch);
  BatchResult result;
  torch::NoGradGuard no_grad;
  const torch::Tensor logits = replica.Forward(inputs.images);
  const torch::Tensor right = ~Fallen(logits, inputs.labels);
  result.right = right.sum().item<int64_t>();
  result.loss = torch::nn::functional::cross_entropy(
                    logits, inputs.labels,
                    torch::nn::functional::CrossEntropyFuncOptions().reduction(torch::kSum))
                    .item<double>();
  if (task.compare_passes) result.pass_difference = PassDifference(replica, inputs.images);
  const Victims victims{inputs.images, inputs.labels, task.indices};
  if (task.training_attack != nullptr) {
    result.overfitting =
        CheckOverfitting(*task.adversary, victims, *task.training_attack, task.seed);
  }
  if (task.options != nullptr) {
    AttackContext context;
    context.replica = &replica;
    context.ball = {task.options->norm, task.options->epsilon};
    context.seed = task.seed;
    context.go_on = task.go_on;
    SuiteCounts counts = RunSuite(context, victims, right, *task.options, task.on_attack);
    result.standing = std::move(counts.standing);
    result.zero_gradients = counts.zero_gradients;
  }
  return result;
}

}  // namespace conadv
