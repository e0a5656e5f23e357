// SPDX-License-Identifier: Apache-2.0
#include "common/stats/histogram_proto.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"

namespace conadv {

v1::Histogram ToProto(const Histogram& histogram) {
  v1::Histogram proto;
  for (const Histogram::Bucket& bucket : histogram.buckets()) {
    v1::Histogram::Bucket& added = *proto.add_buckets();
    added.set_low(bucket.low);
    added.set_high(bucket.high);
    added.set_count(bucket.count);
  }
  proto.set_count(histogram.count());
  proto.set_sum(histogram.sum());
  proto.set_min(histogram.min());
  proto.set_max(histogram.max());
  proto.set_p50(histogram.Quantile(0.5));
  proto.set_p90(histogram.Quantile(0.9));
  proto.set_p99(histogram.Quantile(0.99));
  return proto;
}

absl::StatusOr<Histogram> FromProto(const v1::Histogram& proto) {
  std::vector<Histogram::Bucket> buckets;
  buckets.reserve(static_cast<size_t>(proto.buckets_size()));
  for (const v1::Histogram::Bucket& bucket : proto.buckets()) {
    buckets.push_back({bucket.low(), bucket.high(), bucket.count()});
  }
  CONADV_ASSIGN_OR_RETURN(Histogram histogram,
                          Histogram::FromBuckets(buckets, proto.sum(), proto.min(), proto.max()));
  if (histogram.count() != proto.count()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "histogram: count ", proto.count(), " is not the sum of its buckets, ", histogram.count()));
  }
  return histogram;
}

}  // namespace conadv
