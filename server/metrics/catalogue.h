// SPDX-License-Identifier: Apache-2.0
// Every metric that /metrics may have: what docs/monitoring.md lists. Constant.
#ifndef CONADV_SERVER_METRICS_CATALOGUE_H_
#define CONADV_SERVER_METRICS_CATALOGUE_H_

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace conadv {

enum class MetricKind { kGauge, kCounter, kHistogram };

struct MetricInfo {
  absl::string_view name;
  MetricKind kind;
  absl::string_view help;
};

absl::Span<const MetricInfo> MetricCatalogue();

}  // namespace conadv

#endif  // CONADV_SERVER_METRICS_CATALOGUE_H_
