// SPDX-License-Identifier: Apache-2.0
// Histograms of whole numbers as TensorBoard has them. A pure function.
#ifndef CONADV_CLI_BOARD_STALENESS_HISTOGRAM_H_
#define CONADV_CLI_BOARD_STALENESS_HISTOGRAM_H_

#include <cstdint>
#include <vector>

#include "conadv/tensorboard/event.pb.h"

namespace conadv {

// Of these values, in versions. Each whole number has its own bucket up to 63, from half below it
// to half above; then buckets grow as those of Histogram. Between two that are apart lies an empty
// one, since a bucket begins where the one before it ends.
tensorboard::Histogram StalenessHistogram(const std::vector<uint64_t>& values);

}  // namespace conadv

#endif  // CONADV_CLI_BOARD_STALENESS_HISTOGRAM_H_
