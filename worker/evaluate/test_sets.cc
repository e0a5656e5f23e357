// SPDX-License-Identifier: Apache-2.0
#include "worker/evaluate/test_sets.h"

#include <utility>

#include "common/base/status_macros.h"
#include "worker/data/corruption/corruptions.h"
#include "worker/data/open.h"

namespace conadv {

absl::StatusOr<TestSets> OpenTestSets(const Job& job, const Dataset& train) {
  TestSets sets;
  // What is drawn may lie anywhere.
  const uint64_t limit = job.evaluation.sample ? 0 : job.evaluation.limit;
  CONADV_ASSIGN_OR_RETURN(sets.clean, OpenDataset(job.dataset, Split::kTest, limit));
  CONADV_RETURN_IF_ERROR(CheckSplits(train, *sets.clean, job.dataset));
  if (job.evaluation.corruptions.empty()) return sets;
  CONADV_ASSIGN_OR_RETURN(std::vector<Corruption> corruptions,
                          OpenCorruptions(job.evaluation.corruptions, train.image_size(),
                                          train.classes(), kMostCorruptions));
  for (Corruption& corruption : corruptions) {
    sets.corrupted.push_back(
        {std::move(corruption.name), std::move(corruption.examples), kSeverities});
  }
  return sets;
}

}  // namespace conadv
