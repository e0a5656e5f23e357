// SPDX-License-Identifier: Apache-2.0
#include "worker/evaluate/overfitting.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "worker/evaluate/suite/ball.h"
#include "worker/evaluate/suite/losses.h"
#include "worker/evaluate/suite/pgd.h"

namespace conadv {
namespace {

// Where the training's attack goes: its ball, or, where nothing is projected, as far as its steps.
std::optional<Ball> BallOf(const AttackOptions& attack) {
  if (attack.step == AttackStep::kRaw) return std::nullopt;
  Ball ball;
  ball.norm = attack.step == AttackStep::kL2 ? EvaluationNorm::kL2 : EvaluationNorm::kLinf;
  ball.radius =
      attack.epsilon > 0 ? attack.epsilon : attack.step_size * static_cast<float>(attack.steps);
  return ball;
}

double AccuracyUnder(const AttackContext& context, const Victims& batch, uint32_t steps,
                     float step_size) {
  PgdOptions pgd;
  pgd.steps = steps;
  pgd.step_size = step_size;
  const torch::Tensor images = AttackPgd(context, batch, pgd).images;
  const torch::Tensor fell = Fallen(context.replica->Forward(images), batch.labels);
  return 1 - fell.to(torch::kFloat64).mean().item<double>();
}

double Alignment(const AttackContext& context, const Victims& batch) {
  const auto gradient_at = [&](const torch::Tensor& images) {
    const torch::Tensor gradient =
        GradientAt(*context.replica, images, AttackLoss::kCrossEntropy, batch.labels, {}).gradient;
    // Of length 1, however small it was.
    return SteepestIn(EvaluationNorm::kL2, gradient).flatten(1);
  };
  const torch::Tensor there =
      gradient_at(RandomStarts(context, batch, Draw::kAlignment, 0, StartFrom::kInside));
  return (gradient_at(batch.images) * there).sum(1).mean().item<double>();
}

}  // namespace

std::optional<OverfittingCheck> CheckOverfitting(Replica& replica, const Victims& batch,
                                                 const AttackOptions& attack, uint64_t seed) {
  torch::NoGradGuard no_grad;
  const std::optional<Ball> ball = BallOf(attack);
  if (!ball.has_value() || batch.size() == 0) return std::nullopt;
  AttackContext context;
  context.replica = &replica;
  context.ball = *ball;
  context.seed = seed;
  context.go_on = [] { return true; };
  OverfittingCheck check;
  check.examples = batch.size();
  check.own_accuracy = AccuracyUnder(context, batch, attack.steps, attack.step_size);
  check.pgd_accuracy = AccuracyUnder(context, batch, kCheckSteps, ball->radius / 4);
  check.alignment = Alignment(context, batch);
  return check;
}

std::string OverfittingWarning(const OverfittingCheck& check, double best_alignment) {
  // A model that resists one step resists ten nearly as well; one that has overfitted resists none.
  constexpr double kLeastGap = 0.15;
  constexpr double kShareLeft = 0.5;
  if (check.own_accuracy - check.pgd_accuracy > kLeastGap &&
      check.pgd_accuracy < kShareLeft * check.own_accuracy) {
    return absl::StrFormat(
        "catastrophic overfitting? accuracy on %d examples is %.3f under the training's own "
        "attack, "
        "but %.3f under PGD-%d in the same ball; train with a smaller attack.step_size, a random "
        "start or more attack.steps",
        check.examples, check.own_accuracy, check.pgd_accuracy, kCheckSteps);
  }
  // A loss that one step can climb has gradients that agree within the ball.
  constexpr double kLeastBefore = 0.4;
  constexpr double kCollapsed = 0.5;
  if (best_alignment >= kLeastBefore && check.alignment < kCollapsed * best_alignment) {
    return absl::StrFormat(
        "input gradients no longer agree within the ball: their mean cosine on %d examples is "
        "%.3f, it was %.3f; catastrophic overfitting may be about to begin",
        check.examples, check.alignment, best_alignment);
  }
  return "";
}

}  // namespace conadv
