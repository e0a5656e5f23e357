// SPDX-License-Identifier: Apache-2.0
// Counts of whole numbers: exact below 64, within 1/16 above, in at most 992 buckets (8 kB). Totals
// stop at 2^64 - 1 rather than wrap. A plain value; not thread-safe.
#ifndef CONADV_COMMON_STATS_HISTOGRAM_H_
#define CONADV_COMMON_STATS_HISTOGRAM_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"

namespace conadv {

class Histogram {
 public:
  struct Bucket {
    uint64_t low = 0;   // inclusive
    uint64_t high = 0;  // inclusive
    uint64_t count = 0;
  };

  // From what buckets() and totals a peer said. INVALID_ARGUMENT: too many buckets; not rising;
  // empty; wider than this class's; min, max or sum that such buckets cannot have.
  static absl::StatusOr<Histogram> FromBuckets(absl::Span<const Bucket> buckets, uint64_t sum,
                                               uint64_t min, uint64_t max);

  void Add(uint64_t value, uint64_t count = 1);
  void Merge(const Histogram& other);

  uint64_t count() const { return count_; }
  uint64_t sum() const { return sum_; }
  // 0 if there is nothing.
  uint64_t min() const { return count_ == 0 ? 0 : min_; }
  uint64_t max() const { return max_; }
  double mean() const;
  // Upper bound of the bucket that holds the q-quantile, but never more than max(). 0 if there is
  // nothing. REQUIRES: 0 <= q <= 1.
  uint64_t Quantile(double q) const;
  // Those that hold something, rising.
  std::vector<Bucket> buckets() const;
  // On the heap.
  size_t bytes() const { return counts_.capacity() * sizeof(uint64_t); }

 private:
  std::vector<uint64_t> counts_;  // by bucket, as long as it has to be
  uint64_t count_ = 0;
  uint64_t sum_ = 0;
  uint64_t min_ = UINT64_MAX;
  uint64_t max_ = 0;
};

}  // namespace conadv

#endif  // CONADV_COMMON_STATS_HISTOGRAM_H_
