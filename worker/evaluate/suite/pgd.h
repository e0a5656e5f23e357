// SPDX-License-Identifier: Apache-2.0
// PGD (arXiv 1706.06083), L-infinity or L2: the last of a fixed number of equal steps counts.
#ifndef CONADV_WORKER_EVALUATE_SUITE_PGD_H_
#define CONADV_WORKER_EVALUATE_SUITE_PGD_H_

#include <cstdint>

#include "worker/evaluate/suite/losses.h"
#include "worker/evaluate/suite/victims.h"

namespace conadv {

struct PgdOptions {
  uint32_t steps = 0;
  float step_size = 0;
  uint32_t restarts = 1;  // the first from the image itself, the others from a point of the ball
  AttackLoss loss = AttackLoss::kCrossEntropy;
};

// Restarts have those victims only that still stand.
AttackOutcome AttackPgd(const AttackContext& context, const Victims& victims,
                        const PgdOptions& options);

}  // namespace conadv

#endif  // CONADV_WORKER_EVALUATE_SUITE_PGD_H_
