// SPDX-License-Identifier: Apache-2.0
#include "cli/board/staleness_histogram.h"

#include "common/stats/histogram.h"

namespace conadv {

tensorboard::Histogram StalenessHistogram(const std::vector<uint64_t>& values) {
  Histogram histogram;
  double sum_squares = 0;
  for (const uint64_t value : values) {
    histogram.Add(value);
    sum_squares += static_cast<double>(value) * static_cast<double>(value);
  }
  tensorboard::Histogram out;
  out.set_min(static_cast<double>(histogram.min()));
  out.set_max(static_cast<double>(histogram.max()));
  out.set_num(static_cast<double>(histogram.count()));
  out.set_sum(static_cast<double>(histogram.sum()));
  out.set_sum_squares(sum_squares);
  for (const Histogram::Bucket& bucket : histogram.buckets()) {
    const double from = static_cast<double>(bucket.low) - 0.5;
    const int limits = out.bucket_limit_size();
    if (limits > 0 && out.bucket_limit(limits - 1) < from) {
      out.add_bucket_limit(from);
      out.add_bucket(0);
    }
    out.add_bucket_limit(static_cast<double>(bucket.high) + 0.5);
    out.add_bucket(static_cast<double>(bucket.count));
  }
  return out;
}

}  // namespace conadv
