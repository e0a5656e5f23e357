// SPDX-License-Identifier: Apache-2.0
#include "worker/evaluate/suite/square.h"

#include <algorithm>

#include "worker/evaluate/suite/ball.h"
#include "worker/evaluate/suite/losses.h"
#include "worker/evaluate/suite/selection.h"
#include "worker/evaluate/suite/square_search.h"
#include "worker/evaluate/suite/square_window.h"

namespace conadv {
namespace {

// The L2 attack's bumps need a middle.
int64_t SideOf(const Ball& ball, double share, const torch::Tensor& images) {
  const int64_t height = images.size(2);
  const int64_t width = images.size(3);
  if (ball.norm == EvaluationNorm::kLinf) return WindowSide(share, height, width, 1);
  const int64_t side = WindowSide(share, height, width, 3);
  return side % 2 == 0 && side < std::min(height, width) ? side + 1 : side;
}

}  // namespace

AttackOutcome AttackSquare(const AttackContext& context, const Victims& victims, int queries,
                           double share) {
  torch::NoGradGuard no_grad;
  AttackOutcome outcome;
  outcome.images = victims.images.clone();
  const Ball& ball = context.ball;
  Device& device = context.replica->device();
  Searchers s;
  s.rows = RowsOf(torch::ones_like(victims.labels, torch::kBool));
  s.center = victims.images;
  s.labels = victims.labels;
  for (const uint64_t index : victims.indices) {
    s.draws.push_back(DrawsOf(context.seed, index, Draw::kSquare, 0));
  }
  // L2 windows of one pixel have no bumps.
  if (ball.norm == EvaluationNorm::kL2 && std::min(s.center.size(2), s.center.size(3)) < 2) {
    return outcome;
  }
  for (int query = 0; query < queries && s.size() > 0; ++query) {
    const torch::Tensor points =
        query == 0 ? FirstPoints(ball, device, &s)
                   : Propose(ball, device, SideOf(ball, WindowShare(share, query), s.center), &s);
    const torch::Tensor logits = context.replica->Forward(points);
    const torch::Tensor margin = -Losses(AttackLoss::kMargin, logits, s.labels, {});
    const torch::Tensor better =
        query == 0 ? torch::ones_like(s.labels, torch::kBool) : margin < s.best_margin;
    s.best = torch::where(PerExample(better), points, s.best.defined() ? s.best : points);
    s.best_margin = torch::where(better, margin, s.best_margin.defined() ? s.best_margin : margin);
    const torch::Tensor fell = Fallen(logits, s.labels);
    const torch::Tensor fallen = RowsOf(fell);
    if (fallen.numel() > 0) {
      outcome.images.index_copy_(0, s.rows.index_select(0, fallen), points.index_select(0, fallen));
      s.Keep(~fell);
    }
    constexpr int kAskEvery = 10;
    if (query % kAskEvery == 0 && !context.go_on()) break;
  }
  return outcome;
}

}  // namespace conadv
