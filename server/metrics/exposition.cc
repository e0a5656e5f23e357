// SPDX-License-Identifier: Apache-2.0
#include "server/metrics/exposition.h"

#include <glog/logging.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "server/metrics/catalogue.h"

namespace conadv {
namespace {

// Staleness is small where it is healthy.
constexpr uint64_t kVersionBounds[] = {0, 1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 63};

const MetricInfo& InfoOf(absl::string_view name) {
  const auto catalogue = MetricCatalogue();
  const auto* const info = std::find_if(catalogue.begin(), catalogue.end(),
                                        [name](const auto& one) { return one.name == name; });
  CHECK(info != catalogue.end()) << name << " is not in the catalogue";
  return *info;
}

prometheus::MetricType TypeOf(MetricKind kind) {
  switch (kind) {
    case MetricKind::kGauge: return prometheus::MetricType::Gauge;
    case MetricKind::kCounter: return prometheus::MetricType::Counter;
    case MetricKind::kHistogram: return prometheus::MetricType::Histogram;
  }
  return prometheus::MetricType::Untyped;
}

// le="5" → le="5.0"
std::string WithFloatBound(absl::string_view line) {
  static constexpr absl::string_view kBound = "le=\"";
  const size_t begin = line.find(kBound);
  if (begin == absl::string_view::npos) return std::string(line);
  const size_t end = line.find('"', begin + kBound.size());
  const absl::string_view bound = line.substr(begin + kBound.size(), end - begin - kBound.size());
  if (bound.find_first_not_of("0123456789") != absl::string_view::npos) return std::string(line);
  return absl::StrCat(line.substr(0, end), ".0", line.substr(end));
}

}  // namespace

prometheus::ClientMetric* Exposition::AddMetric(absl::string_view name, Labels labels) {
  auto found = samples_.find(name);
  if (found == samples_.end())
    found = samples_.emplace(std::string(name), std::vector<prometheus::ClientMetric>()).first;
  prometheus::ClientMetric& metric = found->second.emplace_back();
  for (auto& [key, value] : labels) metric.label.push_back({std::move(key), std::move(value)});
  return &metric;
}

void Exposition::Add(absl::string_view name, double value, Labels labels) {
  const MetricKind kind = InfoOf(name).kind;
  CHECK(kind != MetricKind::kHistogram) << name;
  if (!std::isfinite(value)) return;
  prometheus::ClientMetric* metric = AddMetric(name, std::move(labels));
  if (kind == MetricKind::kCounter) {
    metric->counter.value = value;
  } else {
    metric->gauge.value = value;
  }
}

void Exposition::AddVersions(absl::string_view name, const Histogram& versions, Labels labels) {
  CHECK(InfoOf(name).kind == MetricKind::kHistogram) << name;
  auto& out = AddMetric(name, std::move(labels))->histogram;
  out.sample_count = versions.count();
  out.sample_sum = static_cast<double>(versions.sum());
  const std::vector<Histogram::Bucket> buckets = versions.buckets();
  auto bucket = buckets.begin();
  uint64_t below = 0;
  for (const uint64_t bound : kVersionBounds) {
    for (; bucket != buckets.end() && bucket->high <= bound; ++bucket) below += bucket->count;
    out.bucket.push_back({below, static_cast<double>(bound)});
  }
  out.bucket.push_back({versions.count(), std::numeric_limits<double>::infinity()});
}

void Exposition::AddSeconds(absl::string_view name, const SecondsDistribution& seconds,
                            Labels labels) {
  CHECK(InfoOf(name).kind == MetricKind::kHistogram) << name;
  auto& out = AddMetric(name, std::move(labels))->histogram;
  out.sample_sum = seconds.sum;
  for (size_t i = 0; i < seconds.counts.size(); ++i) {
    out.sample_count += seconds.counts[i];
    out.bucket.push_back({out.sample_count, i < SecondsDistribution::kBounds.size()
                                                ? SecondsDistribution::kBounds[i]
                                                : std::numeric_limits<double>::infinity()});
  }
}

std::string Exposition::Text() const {
  std::vector<prometheus::MetricFamily> families;
  for (const MetricInfo& info : MetricCatalogue()) {
    const auto samples = samples_.find(info.name);
    if (samples == samples_.end()) continue;
    families.push_back(
        {std::string(info.name), std::string(info.help), TypeOf(info.kind), samples->second});
  }
  return prometheus::TextSerializer().Serialize(families);
}

std::string OpenMetricsOf(absl::string_view prometheus_text) {
  std::string text;
  for (const absl::string_view line : absl::StrSplit(prometheus_text, '\n', absl::SkipEmpty())) {
    if (!absl::StartsWith(line, "# ")) {
      absl::StrAppend(&text, WithFloatBound(line), "\n");
      continue;
    }
    // "# HELP name text", "# TYPE name counter"
    const std::vector<absl::string_view> parts = absl::StrSplit(line, absl::MaxSplits(' ', 3));
    absl::StrAppend(&text, parts[0], " ", parts[1], " ", absl::StripSuffix(parts[2], "_total"), " ",
                    parts.size() > 3 ? parts[3] : "", "\n");
  }
  return absl::StrCat(text, "# EOF\n");
}

}  // namespace conadv
