// SPDX-License-Identifier: Apache-2.0
#include "worker/evaluate/suite/suite.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "worker/evaluate/suite/apgd.h"
#include "worker/evaluate/suite/budget.h"
#include "worker/evaluate/suite/losses.h"
#include "worker/evaluate/suite/pgd.h"
#include "worker/evaluate/suite/selection.h"
#include "worker/evaluate/suite/square.h"

namespace conadv {
namespace {

struct Stage {
  std::string name;
  std::function<AttackOutcome(const AttackContext&, const Victims&)> attack;
};

Stage PgdStage(const EvaluationOptions& options) {
  PgdOptions pgd;
  pgd.steps = options.attack_steps;
  pgd.step_size = options.step_size;
  pgd.restarts = options.restarts;
  if (options.loss == EvaluationLoss::kMargin) pgd.loss = AttackLoss::kMargin;
  return {absl::StrCat("PGD-", options.attack_steps),
          [pgd](const AttackContext& context, const Victims& victims) {
            return AttackPgd(context, victims, pgd);
          }};
}

std::vector<Stage> StagesOf(const EvaluationOptions& options) {
  std::vector<Stage> stages;
  if (options.suite == EvaluationSuite::kStandard) {
    stages.push_back({"APGD-CE", [](const AttackContext& context, const Victims& victims) {
                        return AttackApgdCe(context, victims, kApgdSteps);
                      }});
    stages.push_back({"APGD-T", [](const AttackContext& context, const Victims& victims) {
                        return AttackApgdTargeted(context, victims, kApgdSteps, kApgdTargets);
                      }});
    stages.push_back({"Square", [](const AttackContext& context, const Victims& victims) {
                        return AttackSquare(context, victims, kSquareQueries, kSquareShare);
                      }});
  }
  stages.push_back(PgdStage(options));
  return stages;
}

}  // namespace

std::vector<std::string> AttackNames(const EvaluationOptions& options) {
  std::vector<std::string> names;
  for (Stage& stage : StagesOf(options)) names.push_back(std::move(stage.name));
  return names;
}

SuiteCounts RunSuite(const AttackContext& context, const Victims& batch, const torch::Tensor& right,
                     const EvaluationOptions& options,
                     const std::function<void(size_t attack)>& on_attack) {
  torch::NoGradGuard no_grad;
  SuiteCounts counts;
  const std::vector<Stage> stages = StagesOf(options);
  torch::Tensor stands = right;
  for (size_t i = 0; i < stages.size(); ++i) {
    on_attack(i);
    // PGD alone takes the batch as it comes: a selection would cost more than it saves.
    const bool whole = stages.size() == 1;
    const torch::Tensor rows = RowsOf(whole ? torch::ones_like(stands) : stands);
    if (rows.numel() > 0) {
      const Victims victims = whole ? batch : Select(batch, rows);
      const AttackOutcome outcome = stages[i].attack(context, victims);
      if (i == 0) counts.zero_gradients = outcome.zero_gradients;
      // Whatever an attack believes of its images: they are classified once more.
      const torch::Tensor fell = Fallen(context.replica->Forward(outcome.images), victims.labels);
      stands = stands.index_put({rows.index_select(0, RowsOf(fell))},
                                torch::zeros({}, stands.options()));
    }
    counts.standing.push_back(stands.sum().item<int64_t>());
    if (i + 1 < stages.size() && !context.go_on()) break;
  }
  counts.standing.resize(stages.size());
  return counts;
}

}  // namespace conadv
