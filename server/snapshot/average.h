// SPDX-License-Identifier: Apache-2.0
// The exponential moving average of a shard's weights, which goes with each snapshot of a job that
// keeps one. Pure functions.
#ifndef CONADV_SERVER_SNAPSHOT_AVERAGE_H_
#define CONADV_SERVER_SNAPSHOT_AVERAGE_H_

#include <cstddef>

#include "common/base/ids.h"
#include "common/job/job.h"

namespace conadv {

// d of the average that makes `version` (≥ 1): the decay, and with warm-up at most
// (1 + version) / (10 + version), as tf.train.ExponentialMovingAverage has it.
float AverageDecay(const AverageOptions& options, Version version);

// next = d · average + (1 − d) · weights, as average + (1 − d) · (weights − average), over a whole
// arena: statistics as well, and padding, which stays 0. Where the weights have the average
// already, as a frozen tensor does, it stays bit for bit. REQUIRES: arenas aligned to 64 bytes;
// `size` is a multiple of kTensorAlignment.
void MoveAverage(float decay, const float* average, const float* weights, size_t size, float* next);

}  // namespace conadv

#endif  // CONADV_SERVER_SNAPSHOT_AVERAGE_H_
