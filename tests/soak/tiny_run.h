// SPDX-License-Identifier: Apache-2.0
// The smallest runs: a job and a plan of a few thousand parameters, for servers that are to be
// loaded with messages and not with arithmetic. Pure functions.
#ifndef CONADV_TESTS_SOAK_TINY_RUN_H_
#define CONADV_TESTS_SOAK_TINY_RUN_H_

#include <cstdint>

#include "common/plan/plan.h"
#include "conadv/v1/job.pb.h"

namespace conadv {

struct TinyRun {
  v1::Training::Consistency consistency = v1::Training::SYNC;
  uint32_t slots = 1;
  uint64_t steps = 1;
  uint32_t retain = 0;         // 0: the default
  uint64_t parameters = 4000;  // about
  uint64_t checkpoint_every = 0;
};

v1::Job JobOf(const TinyRun& run);
// All weights begin as 0.
Plan PlanOf(const TinyRun& run);

}  // namespace conadv

#endif  // CONADV_TESTS_SOAK_TINY_RUN_H_
