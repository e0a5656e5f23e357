// SPDX-License-Identifier: Apache-2.0
// docs/monitoring.md says what there is.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "server/metrics/catalogue.h"
#include "tests/support/temp_dir.h"

namespace conadv {
namespace {

absl::string_view NameOf(MetricKind kind) {
  switch (kind) {
    case MetricKind::kGauge: return "gauge";
    case MetricKind::kCounter: return "counter";
    case MetricKind::kHistogram: return "histogram";
  }
  return "";
}

TEST(MonitoringDocument, ItsTableHasEveryMetricWithItsTypeAndHelp) {
  std::vector<std::string> catalogue;
  for (const MetricInfo& info : MetricCatalogue()) {
    catalogue.push_back(
        absl::StrCat("| `", info.name, "` | ", NameOf(info.kind), " | ", info.help, " |"));
  }
  std::vector<std::string> table;
  const std::string document = ReadFile(absl::StrCat(CONADV_SOURCE_DIR, "/docs/monitoring.md"));
  for (const absl::string_view line : absl::StrSplit(document, '\n')) {
    if (absl::StartsWith(line, "| `conadv_")) table.emplace_back(line);
  }
  EXPECT_THAT(table, ::testing::ElementsAreArray(catalogue));
}

}  // namespace
}  // namespace conadv
