// SPDX-License-Identifier: Apache-2.0
// The text that a scrape gets.
#include "server/metrics/exposition.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <set>
#include <string>

#include "server/metrics/catalogue.h"

namespace conadv {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(Catalogue, NamesFollowPrometheusAndEveryMetricIsExplained) {
  std::set<std::string> names;
  for (const MetricInfo& info : MetricCatalogue()) {
    const std::string name(info.name);
    EXPECT_TRUE(names.insert(name).second) << name;
    EXPECT_THAT(name, ::testing::MatchesRegex("conadv_[a-z_]+")) << name;
    EXPECT_EQ(name.size() > 6 && name.substr(name.size() - 6) == "_total",
              info.kind == MetricKind::kCounter)
        << name << ": counters, and they alone, end in _total";
    EXPECT_GT(info.help.size(), 10U) << name;
  }
}

TEST(Exposition, CountersAndGaugesAreWrittenWithHelpAndType) {
  Exposition exposition;
  exposition.Add("conadv_updates_total", 7, {{"lineage", "ab"}});
  exposition.Add("conadv_ready", 1);
  exposition.Add("conadv_learning_rate", std::numeric_limits<double>::quiet_NaN());
  const std::string text = exposition.Text();
  EXPECT_THAT(text, HasSubstr("# TYPE conadv_updates_total counter\n"
                              "conadv_updates_total{lineage=\"ab\"} 7\n"));
  EXPECT_THAT(text, HasSubstr("# TYPE conadv_ready gauge\nconadv_ready 1\n"));
  EXPECT_THAT(text, Not(HasSubstr("learning_rate"))) << "no sample, no family";
}

TEST(Exposition, HistogramsCountWhatIsNotAboveEachBound) {
  Histogram versions;
  for (const uint64_t value : {0, 1, 1, 5, 200}) versions.Add(value);
  Histogram micros;
  micros.Add(1'500);
  micros.Add(70'000'000);
  Exposition exposition;
  exposition.AddVersions("conadv_attack_staleness_versions", versions, {});
  exposition.AddSeconds("conadv_pull_duration_seconds", SecondsDistribution::Of(micros), {});
  const std::string text = exposition.Text();
  for (const char* line : {"conadv_attack_staleness_versions_bucket{le=\"0\"} 1\n",
                           "conadv_attack_staleness_versions_bucket{le=\"1\"} 3\n",
                           "conadv_attack_staleness_versions_bucket{le=\"4\"} 3\n",
                           "conadv_attack_staleness_versions_bucket{le=\"6\"} 4\n",
                           "conadv_attack_staleness_versions_bucket{le=\"63\"} 4\n",
                           "conadv_attack_staleness_versions_bucket{le=\"+Inf\"} 5\n",
                           "conadv_attack_staleness_versions_sum 207\n",
                           "conadv_pull_duration_seconds_bucket{le=\"0.001\"} 0\n",
                           "conadv_pull_duration_seconds_bucket{le=\"0.002\"} 1\n",
                           "conadv_pull_duration_seconds_bucket{le=\"60\"} 1\n",
                           "conadv_pull_duration_seconds_bucket{le=\"+Inf\"} 2\n",
                           "conadv_pull_duration_seconds_count 2\n"}) {
    EXPECT_THAT(text, HasSubstr(line));
  }
}

TEST(Exposition, OpenMetricsNamesFamiliesWithoutTotalAndEnds) {
  Exposition exposition;
  exposition.Add("conadv_updates_total", 7, {{"lineage", "le=\\\"5\""}});
  exposition.AddVersions("conadv_update_staleness_versions", Histogram(), {});
  const std::string text = OpenMetricsOf(exposition.Text());
  EXPECT_THAT(text, HasSubstr("# TYPE conadv_updates counter\nconadv_updates_total{"));
  EXPECT_THAT(text, HasSubstr("_bucket{le=\"48.0\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("_bucket{le=\"+Inf\"} 0\n"));
  EXPECT_THAT(text, ::testing::EndsWith("\n# EOF\n"));
}

}  // namespace
}  // namespace conadv
