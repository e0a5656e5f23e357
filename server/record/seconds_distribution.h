// SPDX-License-Identifier: Apache-2.0
// Counts of durations by fixed bounds: little memory for each of many workers, and sums that only
// rise while what they are made of does. A plain value.
#ifndef CONADV_SERVER_RECORD_SECONDS_DISTRIBUTION_H_
#define CONADV_SERVER_RECORD_SECONDS_DISTRIBUTION_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "common/stats/histogram.h"

namespace conadv {

struct SecondsDistribution {
  static constexpr std::array<double, 14> kBounds = {0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1,
                                                     0.2,   0.5,   1,     2,    5,    10,   60};

  // counts[i]: above kBounds[i - 1], up to kBounds[i]; the last has what is above all.
  std::array<uint64_t, kBounds.size() + 1> counts{};
  double sum = 0;  // seconds

  // Of microseconds. A bucket counts where its upper end does.
  static SecondsDistribution Of(const Histogram& micros) {
    SecondsDistribution distribution;
    size_t at = 0;
    for (const Histogram::Bucket& bucket : micros.buckets()) {
      while (at < kBounds.size() && static_cast<double>(bucket.high) * 1e-6 > kBounds[at]) ++at;
      distribution.counts[at] += bucket.count;
    }
    distribution.sum = static_cast<double>(micros.sum()) * 1e-6;
    return distribution;
  }
};

}  // namespace conadv

#endif  // CONADV_SERVER_RECORD_SECONDS_DISTRIBUTION_H_
