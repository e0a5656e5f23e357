// SPDX-License-Identifier: Apache-2.0
// What Square proposes: its first points, and changes to the best so far. The draws of an example
// are its own, in the order of its queries, whoever else is in the batch.
#ifndef CONADV_WORKER_EVALUATE_SUITE_SQUARE_SEARCH_H_
#define CONADV_WORKER_EVALUATE_SUITE_SQUARE_SEARCH_H_

#include <torch/torch.h>

#include <vector>

#include "common/base/random.h"
#include "worker/evaluate/suite/victims.h"

namespace conadv {

// Who still stands. Images are [n, c, h, w].
struct Searchers {
  torch::Tensor rows;  // their numbers among the victims
  torch::Tensor center;
  torch::Tensor labels;
  torch::Tensor best;
  torch::Tensor best_margin;  // [n]: of the right logit
  std::vector<Random> draws;

  int64_t size() const { return center.size(0); }
  // Those that `mask`, [n] of bool, has.
  void Keep(const torch::Tensor& mask);
};

// Vertical stripes (L-infinity, section 3.2) or a grid of bumps (L2, section 3.3).
torch::Tensor FirstPoints(const Ball& ball, Device& device, Searchers* searchers);

// One window of `side` pixels at a random place, of ± the radius (algorithm 2), or, for L2, of
// bumps that take the norm of another window beside what is left of the radius (algorithm 3).
torch::Tensor Propose(const Ball& ball, Device& device, int64_t side, Searchers* searchers);

}  // namespace conadv

#endif  // CONADV_WORKER_EVALUATE_SUITE_SQUARE_SEARCH_H_
