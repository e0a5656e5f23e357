// SPDX-License-Identifier: Apache-2.0
#include "worker/evaluate/suite/step_schedule.h"

#include <algorithm>

namespace conadv {

std::vector<int> Checkpoints(int steps) {
  // In hundredths: sums of decimal fractions would not be whole where they should.
  std::vector<int> checkpoints;
  int before = 0;
  int part = 22;
  while (part < 100) {
    const int checkpoint = (part * steps + 99) / 100;
    if (checkpoint < steps && (checkpoints.empty() || checkpoint > checkpoints.back())) {
      checkpoints.push_back(checkpoint);
    }
    const int next = part + std::max(part - before - 3, 6);
    before = part;
    part = next;
  }
  return checkpoints;
}

}  // namespace conadv
