// SPDX-License-Identifier: Apache-2.0
#include "cli/metrics_file.h"

#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "tests/support/temp_dir.h"

namespace conadv {
namespace {

std::string Step(uint64_t version, double seconds) {
  return absl::StrCat("{\"step\":{\"version\":", version, ",\"seconds\":", seconds, "}}");
}
std::string Evaluation(uint64_t version) {
  return absl::StrCat("{\"evaluation\":{\"version\":", version, "}}");
}

TEST(KeepUpTo, LaterUpdatesTheLastEvaluationAndHalfALineGo) {
  const std::string kept = absl::StrCat(Step(1, 0.5), "\n", Evaluation(1), "\n", Step(2, 1), "\n");
  const std::string text =
      absl::StrCat(kept, Step(3, 1.5), "\n", Evaluation(3), "\n{\"step\":{\"ver");
  const KeptMetrics two = KeepUpTo(text, 2, 3);
  EXPECT_EQ(two.text, kept);
  EXPECT_EQ(two.seconds, 1);
  EXPECT_EQ(KeepUpTo(text, 3, 3).text, absl::StrCat(kept, Step(3, 1.5), "\n"));
  EXPECT_EQ(KeepUpTo(text, 0, 3).text, "");
}

TEST(KeepUpTo, LinesThatAreNoneOfOursGo) {
  EXPECT_EQ(KeepUpTo("[1]\nnull\n{\"step\":7}\n{\"step\":{\"version\":\"x\"}}\n", 9, 9).text, "");
}

TEST(MetricsFile, GoesBackAndOnInOneFile) {
  const TempDir directory;
  const std::string path = directory / "metrics.jsonl";
  MetricsFile file(path, &FileSystem::Real());
  file.Append(Step(1, 1));
  file.Append(Step(2, 2));
  ASSERT_TRUE(file.Flush().ok());
  ASSERT_TRUE(file.GoBackTo(1, 9).ok());
  EXPECT_EQ(file.seconds_before(), 1);
  file.Append(Step(2, 3));
  ASSERT_TRUE(file.Flush().ok());
  EXPECT_EQ(*FileSystem::Real().Read(path), absl::StrCat(Step(1, 1), "\n", Step(2, 3), "\n"));
}

}  // namespace
}  // namespace conadv
