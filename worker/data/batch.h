// SPDX-License-Identifier: Apache-2.0
// The examples of a batch, from any data set. Pure function of what the data set holds.
#ifndef CONADV_WORKER_DATA_BATCH_H_
#define CONADV_WORKER_DATA_BATCH_H_

#include <cstdint>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "worker/data/dataset.h"

namespace conadv {

// Loads the examples at `indices`, in that order: images into [n][channels][height][width], labels
// into [n]. The data set's own errors; DATA_LOSS: a label of no class. REQUIRES: every index <
// dataset.examples(); the spans have room for n examples, no more.
absl::Status LoadBatch(const Dataset& dataset, absl::Span<const uint64_t> indices,
                       absl::Span<uint8_t> images, absl::Span<int64_t> labels);

}  // namespace conadv

#endif  // CONADV_WORKER_DATA_BATCH_H_
