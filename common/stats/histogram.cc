// SPDX-License-Identifier: Apache-2.0
#include "common/stats/histogram.h"

#include <algorithm>
#include <cmath>

#include "absl/numeric/bits.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "common/base/status_macros.h"

namespace conadv {
namespace {

// Buckets of one value each, then 16 equal ones for every power of two.
constexpr uint64_t kExact = 64;
constexpr int kExactBits = 6;
constexpr int kSplitBits = 4;
constexpr size_t kSplit = size_t{1} << kSplitBits;
constexpr size_t kBuckets = kExact + (64 - kExactBits) * kSplit;

size_t IndexOf(uint64_t value) {
  if (value < kExact) return static_cast<size_t>(value);
  const int exponent = 63 - absl::countl_zero(value);
  const size_t part = static_cast<size_t>(value >> (exponent - kSplitBits)) & (kSplit - 1);
  return kExact + static_cast<size_t>(exponent - kExactBits) * kSplit + part;
}

Histogram::Bucket BucketAt(size_t index, uint64_t count) {
  if (index < kExact) return {index, index, count};
  const size_t above = index - kExact;
  const int shift = static_cast<int>(above / kSplit) + kExactBits - kSplitBits;
  const uint64_t low = static_cast<uint64_t>(kSplit + above % kSplit) << shift;
  return {low, low + ((uint64_t{1} << shift) - 1), count};
}

uint64_t SaturatedAdd(uint64_t a, uint64_t b) { return a > UINT64_MAX - b ? UINT64_MAX : a + b; }

uint64_t SaturatedMultiply(uint64_t a, uint64_t b) {
  return a != 0 && b > UINT64_MAX / a ? UINT64_MAX : a * b;
}

absl::Status Refuse(size_t index, const Histogram::Bucket& bucket, absl::string_view why) {
  return absl::InvalidArgumentError(
      absl::StrCat("histogram: bucket ", index, " [", bucket.low, ", ", bucket.high, "] ", why));
}

absl::Status CheckBuckets(absl::Span<const Histogram::Bucket> buckets) {
  if (buckets.size() > kBuckets) {
    return absl::InvalidArgumentError(
        absl::StrCat("histogram: ", buckets.size(), " buckets, at most ", kBuckets));
  }
  for (size_t i = 0; i < buckets.size(); ++i) {
    const Histogram::Bucket& bucket = buckets[i];
    if (bucket.low > bucket.high) return Refuse(i, bucket, "ends before it begins");
    if (bucket.count == 0) return Refuse(i, bucket, "is empty");
    if (IndexOf(bucket.low) != IndexOf(bucket.high)) {
      return Refuse(i, bucket, "is wider than 1/16 of its values");
    }
    if (i > 0 && bucket.low <= buckets[i - 1].high) return Refuse(i, bucket, "does not rise");
  }
  return absl::OkStatus();
}

// Whether values in those buckets can have these totals.
absl::Status CheckTotals(absl::Span<const Histogram::Bucket> buckets, uint64_t sum, uint64_t min,
                         uint64_t max) {
  if (buckets.empty()) {
    if (sum == 0 && min == 0 && max == 0) return absl::OkStatus();
    return absl::InvalidArgumentError("histogram: totals without buckets");
  }
  const auto within = [](uint64_t value, const Histogram::Bucket& bucket) {
    return bucket.low <= value && value <= bucket.high;
  };
  if (!within(min, buckets.front()) || !within(max, buckets.back()) || min > max) {
    return absl::InvalidArgumentError(absl::StrCat("histogram: min ", min, " and max ", max,
                                                   " are not in the first and last bucket"));
  }
  uint64_t least = 0;
  uint64_t most = 0;
  for (const Histogram::Bucket& bucket : buckets) {
    least = SaturatedAdd(least, SaturatedMultiply(bucket.low, bucket.count));
    most = SaturatedAdd(most, SaturatedMultiply(bucket.high, bucket.count));
  }
  if (sum < least || sum > most) {
    return absl::InvalidArgumentError(absl::StrCat(
        "histogram: sum ", sum, " is not what its buckets can have, ", least, " to ", most));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Histogram> Histogram::FromBuckets(absl::Span<const Bucket> buckets, uint64_t sum,
                                                 uint64_t min, uint64_t max) {
  CONADV_RETURN_IF_ERROR(CheckBuckets(buckets));
  CONADV_RETURN_IF_ERROR(CheckTotals(buckets, sum, min, max));
  Histogram histogram;
  for (const Bucket& bucket : buckets) histogram.Add(bucket.low, bucket.count);
  if (!buckets.empty()) {
    histogram.sum_ = sum;
    histogram.min_ = min;
    histogram.max_ = max;
  }
  return histogram;
}

void Histogram::Add(uint64_t value, uint64_t count) {
  if (count == 0) return;
  const size_t index = IndexOf(value);
  if (index >= counts_.size()) counts_.resize(index + 1, 0);
  counts_[index] = SaturatedAdd(counts_[index], count);
  count_ = SaturatedAdd(count_, count);
  sum_ = SaturatedAdd(sum_, SaturatedMultiply(value, count));
  min_ = std::min(min_, value);
  max_ = std::max(max_, value);
}

void Histogram::Merge(const Histogram& other) {
  if (other.counts_.size() > counts_.size()) counts_.resize(other.counts_.size(), 0);
  for (size_t i = 0; i < other.counts_.size(); ++i) {
    counts_[i] = SaturatedAdd(counts_[i], other.counts_[i]);
  }
  count_ = SaturatedAdd(count_, other.count_);
  sum_ = SaturatedAdd(sum_, other.sum_);
  min_ = std::min(min_, other.min_);
  max_ = std::max(max_, other.max_);
}

double Histogram::mean() const {
  return count_ == 0 ? 0 : static_cast<double>(sum_) / static_cast<double>(count_);
}

uint64_t Histogram::Quantile(double q) const {
  // Among the values in order, the one that at least q of all are not above.
  const double wanted = std::max(1.0, std::ceil(q * static_cast<double>(count_)));
  uint64_t seen = 0;
  for (size_t i = 0; i < counts_.size(); ++i) {
    seen = SaturatedAdd(seen, counts_[i]);
    if (counts_[i] > 0 && static_cast<double>(seen) >= wanted) {
      return std::min(BucketAt(i, 0).high, max_);
    }
  }
  return max_;
}

std::vector<Histogram::Bucket> Histogram::buckets() const {
  std::vector<Bucket> buckets;
  for (size_t i = 0; i < counts_.size(); ++i) {
    if (counts_[i] > 0) buckets.push_back(BucketAt(i, counts_[i]));
  }
  return buckets;
}

}  // namespace conadv
