// SPDX-License-Identifier: Apache-2.0
// What a scrape gets, put together: samples of the catalogue's metrics, then text. One thread.
#ifndef CONADV_SERVER_METRICS_EXPOSITION_H_
#define CONADV_SERVER_METRICS_EXPOSITION_H_

#include <prometheus/metric_family.h>

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "common/stats/histogram.h"
#include "server/record/seconds_distribution.h"

namespace conadv {

// As samples have it; exact to 2^53.
inline double Number(uint64_t value) { return static_cast<double>(value); }

class Exposition {
 public:
  using Labels = std::vector<std::pair<std::string, std::string>>;

  // REQUIRES: a gauge or a counter of the catalogue. What is not finite is left out.
  void Add(absl::string_view name, double value, Labels labels = {});
  // REQUIRES: a histogram of the catalogue. Of whole numbers, by their own bounds.
  void AddVersions(absl::string_view name, const Histogram& versions, Labels labels);
  void AddSeconds(absl::string_view name, const SecondsDistribution& seconds, Labels labels);

  // In Prometheus's text format, in the catalogue's order; metrics without samples are left out.
  std::string Text() const;

 private:
  prometheus::ClientMetric* AddMetric(absl::string_view name, Labels labels);

  std::map<std::string, std::vector<prometheus::ClientMetric>, std::less<>> samples_;
};

inline constexpr char kPrometheusType[] = "text/plain; version=0.0.4; charset=utf-8";
inline constexpr char kOpenMetricsType[] =
    "application/openmetrics-text; version=1.0.0; charset=utf-8";
// The same in OpenMetrics' format: a counter's family has the name without _total, bounds are
// floating-point numbers, and there is an end. Pure.
std::string OpenMetricsOf(absl::string_view prometheus_text);

}  // namespace conadv

#endif  // CONADV_SERVER_METRICS_EXPOSITION_H_
