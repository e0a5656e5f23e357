// SPDX-License-Identifier: Apache-2.0
// Histograms on the wire. Pure functions.
#ifndef CONADV_COMMON_STATS_HISTOGRAM_PROTO_H_
#define CONADV_COMMON_STATS_HISTOGRAM_PROTO_H_

#include "absl/status/statusor.h"
#include "common/stats/histogram.h"
#include "conadv/v1/stats.pb.h"

namespace conadv {

v1::Histogram ToProto(const Histogram& histogram);

// From a peer, whatever its bytes. INVALID_ARGUMENT as Histogram::FromBuckets, or if count is not
// the buckets'. The quantiles are not read: they follow from the buckets.
absl::StatusOr<Histogram> FromProto(const v1::Histogram& proto);

}  // namespace conadv

#endif  // CONADV_COMMON_STATS_HISTOGRAM_PROTO_H_
