// SPDX-License-Identifier: Apache-2.0
// What a job's weights are evaluated on.
#ifndef CONADV_WORKER_EVALUATE_TEST_SETS_H_
#define CONADV_WORKER_EVALUATE_TEST_SETS_H_

#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "common/job/job.h"
#include "worker/data/dataset.h"
#include "worker/evaluate/evaluate.h"

namespace conadv {

struct TestSets {
  std::unique_ptr<const Dataset> clean;  // has every example that is evaluated
  std::vector<CorruptedSet> corrupted;   // if the job has any
};

// That fit `train`. Errors name what is missing or does not fit.
absl::StatusOr<TestSets> OpenTestSets(const Job& job, const Dataset& train);

}  // namespace conadv

#endif  // CONADV_WORKER_EVALUATE_TEST_SETS_H_
