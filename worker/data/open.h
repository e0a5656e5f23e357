// SPDX-License-Identifier: Apache-2.0
// Opens the data set that a job names with the reader of its format.
#ifndef CONADV_WORKER_DATA_OPEN_H_
#define CONADV_WORKER_DATA_OPEN_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/job/job.h"
#include "worker/data/dataset.h"

namespace conadv {

// The first `limit` examples of a split, all if it is 0. NOT_FOUND, INVALID_ARGUMENT and what the
// reader says besides: they name the file and what is wrong with it.
absl::StatusOr<std::unique_ptr<Dataset>> OpenDataset(const DatasetOptions& options, Split split,
                                                     uint64_t limit);

// Whether the splits of one data set fit each other: `test` has `train`'s images' shape, and no
// class that it does not have. INVALID_ARGUMENT names options.path.
absl::Status CheckSplits(const Dataset& train, const Dataset& test, const DatasetOptions& options);

// Opens both splits, and keeps nothing of them: the error of whatever is wrong with them, or else
// what the data set is, for people: "3x32x32 images, 10 classes: airplane, automobile, … truck".
absl::StatusOr<std::string> CheckDataset(const DatasetOptions& options);

}  // namespace conadv

#endif  // CONADV_WORKER_DATA_OPEN_H_
