// SPDX-License-Identifier: Apache-2.0
// The learning rate as a function of the step. A pure function.
#ifndef CONADV_SERVER_OPTIMIZE_SCHEDULE_H_
#define CONADV_SERVER_OPTIMIZE_SCHEDULE_H_

#include <cstdint>

#include "common/job/job.h"

namespace conadv {

// proto/conadv/v1/job.proto, message Schedule, has the formulas. REQUIRES: step < steps.
float Rate(const ScheduleOptions& options, uint64_t step, uint64_t steps);

}  // namespace conadv

#endif  // CONADV_SERVER_OPTIMIZE_SCHEDULE_H_
