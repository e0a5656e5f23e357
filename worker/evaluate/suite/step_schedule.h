// SPDX-License-Identifier: Apache-2.0
// When APGD looks back on its steps (arXiv 2003.01690, section 3.1). Pure function.
#ifndef CONADV_WORKER_EVALUATE_SUITE_STEP_SCHEDULE_H_
#define CONADV_WORKER_EVALUATE_SUITE_STEP_SCHEDULE_H_

#include <vector>

namespace conadv {

// The numbers of steps after which it does, w_1 < w_2 < … < steps: w_j = ceil(p_j · steps), p_0 =
// 0, p_1 = 0.22, p_{j+1} = p_j + max(p_j − p_{j−1} − 0.03, 0.06). REQUIRES: steps ≥ 0.
std::vector<int> Checkpoints(int steps);

}  // namespace conadv

#endif  // CONADV_WORKER_EVALUATE_SUITE_STEP_SCHEDULE_H_
