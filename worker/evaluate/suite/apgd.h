// SPDX-License-Identifier: Apache-2.0
// Auto-PGD (arXiv 2003.01690, algorithm 1): steps with momentum whose size each example halves for
// itself when it gets on badly, from its best point so far.
#ifndef CONADV_WORKER_EVALUATE_SUITE_APGD_H_
#define CONADV_WORKER_EVALUATE_SUITE_APGD_H_

#include <cstdint>

#include "worker/evaluate/suite/victims.h"

namespace conadv {

// On the cross-entropy, from one random start.
AttackOutcome AttackApgdCe(const AttackContext& context, const Victims& victims, int steps);

// On the targeted DLR loss, from one random start for each of the `targets` most likely wrong
// classes, or of as many as there are.
AttackOutcome AttackApgdTargeted(const AttackContext& context, const Victims& victims, int steps,
                                 int64_t targets);

}  // namespace conadv

#endif  // CONADV_WORKER_EVALUATE_SUITE_APGD_H_
