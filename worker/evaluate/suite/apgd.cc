// SPDX-License-Identifier: Apache-2.0
#include "worker/evaluate/suite/apgd.h"

#include <algorithm>
#include <limits>
#include <vector>

#include "worker/evaluate/suite/ball.h"
#include "worker/evaluate/suite/losses.h"
#include "worker/evaluate/suite/selection.h"
#include "worker/evaluate/suite/step_schedule.h"

namespace conadv {
namespace {

constexpr float kMomentum = 0.75F;       // α of eq. 2
constexpr float kEnoughRises = 0.75F;    // ρ of condition 1
constexpr float kFirstStepRadii = 2.0F;  // η⁽⁰⁾ = 2 ε

// The examples that have not fallen yet, each with where it is and has been. Images are [n, c, h,
// w], the rest [n].
struct Climbers {
  torch::Tensor rows;  // their numbers among the victims
  torch::Tensor center;
  torch::Tensor labels;
  torch::Tensor targets;  // not defined for an attack without
  torch::Tensor current;
  torch::Tensor before;  // the point before `current`
  torch::Tensor gradient;
  torch::Tensor loss;
  torch::Tensor best;
  torch::Tensor best_gradient;
  torch::Tensor best_loss;
  torch::Tensor step;
  torch::Tensor rises;            // of the loss since the last checkpoint
  torch::Tensor checkpoint_loss;  // best_loss at the last checkpoint
  torch::Tensor halved;           // at the last checkpoint

  void Keep(const torch::Tensor& which) {
    for (torch::Tensor* part :
         {&rows, &center, &labels, &targets, &current, &before, &gradient, &loss, &best,
          &best_gradient, &best_loss, &step, &rises, &checkpoint_loss, &halved}) {
      if (part->defined()) *part = part->index_select(0, which);
    }
  }
};

void Move(const Ball& ball, bool first, Climbers* c) {
  const torch::Tensor plain = ProjectTo(
      ball, c->current + PerExample(c->step) * SteepestIn(ball.norm, c->gradient), c->center);
  const float part = first ? 1 : kMomentum;
  const torch::Tensor next = ProjectTo(
      ball, c->current + part * (plain - c->current) + (1 - part) * (c->current - c->before),
      c->center);
  c->before = c->current;
  c->current = next;
}

// The point that was moved to, as the loss sees it.
void Note(const LossGradient& at, Climbers* c) {
  c->rises += at.losses > c->loss;
  c->loss = at.losses;
  c->gradient = at.gradient;
  const torch::Tensor better = at.losses > c->best_loss;
  c->best_loss = torch::where(better, at.losses, c->best_loss);
  c->best = torch::where(PerExample(better), c->current, c->best);
  c->best_gradient = torch::where(PerExample(better), at.gradient, c->best_gradient);
}

void LookBack(int steps_since, Climbers* c) {
  const torch::Tensor wanders = c->rises <= kEnoughRises * static_cast<float>(steps_since);
  const torch::Tensor stays = ~c->halved & (c->best_loss <= c->checkpoint_loss);
  c->halved = wanders | stays;
  c->checkpoint_loss = c->best_loss;
  c->rises = torch::zeros_like(c->rises);
  c->step = torch::where(c->halved, c->step / 2, c->step);
  c->current = torch::where(PerExample(c->halved), c->best, c->current);
  c->gradient = torch::where(PerExample(c->halved), c->best_gradient, c->gradient);
  c->loss = torch::where(c->halved, c->best_loss, c->loss);
}

// Those that have fallen leave: their points go to `images`.
void Leave(const torch::Tensor& fell, Climbers* c, torch::Tensor* images) {
  const torch::Tensor fallen = RowsOf(fell);
  if (fallen.numel() == 0) return;
  images->index_copy_(0, c->rows.index_select(0, fallen), c->current.index_select(0, fallen));
  c->Keep(RowsOf(~fell));
}

struct Start {
  Draw attack = Draw::kApgdCe;
  uint32_t restart = 0;
  AttackLoss loss = AttackLoss::kCrossEntropy;
  torch::Tensor targets;
};

// Writes the points of those that fall to their rows of `images`. Returns who had no gradient.
int64_t Climb(const AttackContext& context, const Victims& victims, const torch::Tensor& rows,
              const Start& start, int steps, torch::Tensor* images) {
  Climbers c;
  c.rows = rows;
  c.center = victims.images;
  c.labels = victims.labels;
  c.targets = start.targets;
  c.current = RandomStarts(context, victims, start.attack, start.restart, StartFrom::kSurface);
  c.before = c.current;
  const auto measure = [&] {
    return GradientAt(*context.replica, c.current, start.loss, c.labels, c.targets);
  };
  const LossGradient first = measure();
  const int64_t zero_gradients = ZeroGradients(first.gradient);
  c.gradient = c.best_gradient = first.gradient;
  c.best = c.current;
  c.loss = c.best_loss = c.checkpoint_loss = first.losses;
  c.step = torch::full_like(c.loss, kFirstStepRadii * context.ball.radius);
  c.rises = torch::zeros_like(c.loss);
  c.halved = torch::ones_like(c.loss, torch::kBool);
  Leave(Fallen(first.logits, c.labels), &c, images);

  const std::vector<int> checkpoints = Checkpoints(steps);
  auto next = checkpoints.begin();
  int last = 0;
  for (int k = 1; k <= steps && c.rows.numel() > 0 && context.go_on(); ++k) {
    Move(context.ball, k == 1, &c);
    const LossGradient at = measure();
    Note(at, &c);
    Leave(Fallen(at.logits, c.labels), &c, images);
    if (next == checkpoints.end() || k != *next) continue;
    LookBack(k - last, &c);
    last = *next++;
  }
  return zero_gradients;
}

}  // namespace

AttackOutcome AttackApgdCe(const AttackContext& context, const Victims& victims, int steps) {
  torch::NoGradGuard no_grad;
  AttackOutcome outcome;
  outcome.images = victims.images.clone();
  const torch::Tensor all = RowsOf(torch::ones_like(victims.labels, torch::kBool));
  outcome.zero_gradients = Climb(context, victims, all, Start(), steps, &outcome.images);
  return outcome;
}

AttackOutcome AttackApgdTargeted(const AttackContext& context, const Victims& victims, int steps,
                                 int64_t targets) {
  torch::NoGradGuard no_grad;
  AttackOutcome outcome;
  outcome.images = victims.images.clone();
  const torch::Tensor logits = context.replica->Forward(victims.images);
  // The right class is none of them, wherever it comes.
  const torch::Tensor likely =
      logits.scatter(1, victims.labels.view({-1, 1}), -std::numeric_limits<double>::infinity())
          .argsort(1, /*descending=*/true);
  torch::Tensor rows = RowsOf(torch::ones_like(victims.labels, torch::kBool));
  const int64_t most = std::min(targets, logits.size(1) - 1);
  for (int64_t k = 0; k < most && rows.numel() > 0; ++k) {
    const Victims standing = Select(victims, rows);
    Start start;
    start.attack = Draw::kApgdTargeted;
    start.restart = static_cast<uint32_t>(k);
    start.loss = AttackLoss::kTargetedDlr;
    start.targets = likely.select(1, k).index_select(0, rows);
    Climb(context, standing, rows, start, steps, &outcome.images);
    if (k + 1 == most || !context.go_on()) break;
    // Who did not fall is where it was.
    const torch::Tensor moved =
        outcome.images.ne(victims.images).flatten(1).any(1).index_select(0, rows);
    rows = rows.index_select(0, RowsOf(~moved));
  }
  return outcome;
}

}  // namespace conadv
