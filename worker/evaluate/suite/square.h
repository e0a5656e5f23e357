// SPDX-License-Identifier: Apache-2.0
// The Square attack (arXiv 1912.00049): a random search over windows that knows logits and no
// gradient, so it finds what masked gradients hide.
#ifndef CONADV_WORKER_EVALUATE_SUITE_SQUARE_H_
#define CONADV_WORKER_EVALUATE_SUITE_SQUARE_H_

#include "worker/evaluate/suite/victims.h"

namespace conadv {

// Lowers the margin of the right logit; `queries` forward passes of each victim at most, as it
// leaves once it has fallen. `share` is the first window's.
AttackOutcome AttackSquare(const AttackContext& context, const Victims& victims, int queries,
                           double share);

}  // namespace conadv

#endif  // CONADV_WORKER_EVALUATE_SUITE_SQUARE_H_
