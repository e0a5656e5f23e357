// SPDX-License-Identifier: Apache-2.0
#include "worker/evaluate/suite/pgd.h"

#include "worker/evaluate/suite/ball.h"
#include "worker/evaluate/suite/selection.h"

namespace conadv {
namespace {

torch::Tensor Climb(const AttackContext& context, const Victims& victims, torch::Tensor images,
                    const PgdOptions& options, int64_t* zero_gradients) {
  for (uint32_t k = 0; k < options.steps; ++k) {
    const torch::Tensor gradient =
        GradientAt(*context.replica, images, options.loss, victims.labels, {}).gradient;
    if (k == 0 && zero_gradients != nullptr) *zero_gradients = ZeroGradients(gradient);
    images = ProjectTo(context.ball,
                       images + options.step_size * SteepestIn(context.ball.norm, gradient),
                       victims.images);
  }
  return images;
}

}  // namespace

AttackOutcome AttackPgd(const AttackContext& context, const Victims& victims,
                        const PgdOptions& options) {
  torch::NoGradGuard no_grad;
  AttackOutcome outcome;
  const bool counts = options.loss == AttackLoss::kCrossEntropy;
  outcome.images =
      Climb(context, victims, victims.images, options, counts ? &outcome.zero_gradients : nullptr);
  torch::Tensor rows;  // of those that still stand
  for (uint32_t restart = 1; restart < options.restarts && context.go_on(); ++restart) {
    if (restart == 1) {
      rows = RowsOf(~Fallen(context.replica->Forward(outcome.images), victims.labels));
    }
    if (rows.numel() == 0) break;
    const Victims standing = Select(victims, rows);
    const torch::Tensor starts =
        RandomStarts(context, standing, Draw::kPgd, restart, StartFrom::kInside);
    const torch::Tensor images = Climb(context, standing, starts, options, nullptr);
    const torch::Tensor fell = Fallen(context.replica->Forward(images), standing.labels);
    const torch::Tensor fallen = RowsOf(fell);
    outcome.images.index_copy_(0, rows.index_select(0, fallen), images.index_select(0, fallen));
    rows = rows.index_select(0, RowsOf(~fell));
  }
  return outcome;
}

}  // namespace conadv
