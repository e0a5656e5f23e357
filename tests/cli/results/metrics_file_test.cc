// SPDX-License-Identifier: Apache-2.0
#include "cli/results/metrics_file.h"

#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "tests/support/small_disk.h"
#include "tests/support/temp_dir.h"

namespace conadv {
namespace {

std::string StepLine(uint64_t version, double seconds) {
  return absl::StrCat("{\"step\":{\"version\":", version, ",\"seconds\":", seconds, "}}");
}
std::string Evaluation(uint64_t version) {
  return absl::StrCat("{\"evaluation\":{\"version\":", version, "}}");
}

TEST(KeepUpTo, LaterUpdatesTheLastEvaluationAndHalfALineGo) {
  const std::string kept =
      absl::StrCat(StepLine(1, 0.5), "\n", Evaluation(1), "\n", StepLine(2, 1), "\n");
  const std::string text =
      absl::StrCat(kept, StepLine(3, 1.5), "\n", Evaluation(3), "\n{\"step\":{\"ver");
  const KeptMetrics two = KeepUpTo(text, 2, 3);
  EXPECT_EQ(two.text, kept);
  EXPECT_EQ(two.seconds, 1);
  EXPECT_EQ(KeepUpTo(text, 3, 3).text, absl::StrCat(kept, StepLine(3, 1.5), "\n"));
  EXPECT_EQ(KeepUpTo(text, 0, 3).text, "");
}

TEST(KeepUpTo, LinesThatAreNoneOfOursGo) {
  EXPECT_EQ(KeepUpTo("[1]\nnull\n{\"step\":7}\n{\"step\":{\"version\":\"x\"}}\n", 9, 9).text, "");
}

class MetricsFileTest : public ::testing::Test {
 protected:
  std::string Text() const { return ReadFile(path_); }

  const TempDir directory_;
  const std::string path_ = directory_ / "metrics.jsonl";
  SmallDisk disk_;
  MetricsFile file_{path_, &disk_};
};

TEST_F(MetricsFileTest, WhatAFullDiskDidNotTakeComesWhenThereIsRoomInWholeLinesAndOnce) {
  ASSERT_TRUE(file_.GoBackTo(0, 9).ok());
  file_.Append(StepLine(1, 1));
  ASSERT_TRUE(file_.Flush().ok());
  disk_.room = 10;
  file_.Append(StepLine(2, 2));
  EXPECT_FALSE(file_.Flush().ok());
  file_.Append(StepLine(3, 3));
  EXPECT_FALSE(file_.Flush().ok());
  EXPECT_EQ(file_.waiting(), 2U);
  disk_.room = 1000;
  ASSERT_TRUE(file_.Flush().ok());
  EXPECT_EQ(file_.waiting(), 0U);
  EXPECT_EQ(Text(), absl::StrCat(StepLine(1, 1), "\n", StepLine(2, 2), "\n", StepLine(3, 3), "\n"));
}

TEST_F(MetricsFileTest, LinesThatWaitGoBackToo) {
  ASSERT_TRUE(file_.GoBackTo(0, 9).ok());
  file_.Append(StepLine(1, 1));
  ASSERT_TRUE(file_.Flush().ok());
  disk_.room = 0;
  for (const uint64_t version : {2, 3, 4}) file_.Append(StepLine(version, version));
  EXPECT_FALSE(file_.Flush().ok());
  ASSERT_TRUE(file_.GoBackTo(3, 9).ok());
  EXPECT_EQ(file_.seconds_before(), 3);
  file_.Append(StepLine(4, 5));
  disk_.room = 1000;
  ASSERT_TRUE(file_.Flush().ok());
  EXPECT_EQ(Text(), absl::StrCat(StepLine(1, 1), "\n", StepLine(2, 2), "\n", StepLine(3, 3), "\n",
                                 StepLine(4, 5), "\n"));
}

TEST_F(MetricsFileTest, ALineInTheMiddleThatGoesCostsNoneOfTheOthersOnAFullDisk) {
  const std::string earlier = absl::StrCat(StepLine(1, 1), "\nhalf\n", StepLine(2, 2), "\n");
  WriteFile(path_, earlier);
  disk_.room = 0;
  ASSERT_TRUE(file_.GoBackTo(2, 9).ok());
  file_.Append(StepLine(3, 3));
  EXPECT_FALSE(file_.Flush().ok());
  EXPECT_EQ(Text(), earlier);
  disk_.room = 1000;
  ASSERT_TRUE(file_.Flush().ok());
  EXPECT_EQ(Text(), absl::StrCat(StepLine(1, 1), "\n", StepLine(2, 2), "\n", StepLine(3, 3), "\n"));
}

TEST_F(MetricsFileTest, AFileThatCannotBeReadIsNotTouched) {
  ASSERT_TRUE(FileSystem::Real().MakeDirectories(path_).ok());
  EXPECT_FALSE(file_.GoBackTo(2, 9).ok());
  file_.Append(StepLine(3, 3));
  EXPECT_FALSE(file_.Flush().ok());
  EXPECT_EQ(file_.waiting(), 1U);
}

TEST(MetricsFile, GoesBackAndOnInOneFile) {
  const TempDir directory;
  const std::string path = directory / "metrics.jsonl";
  MetricsFile file(path, &FileSystem::Real());
  ASSERT_TRUE(file.GoBackTo(0, 9).ok());
  file.Append(StepLine(1, 1));
  file.Append(StepLine(2, 2));
  ASSERT_TRUE(file.Flush().ok());
  ASSERT_TRUE(file.GoBackTo(1, 9).ok());
  EXPECT_EQ(file.seconds_before(), 1);
  file.Append(StepLine(2, 3));
  ASSERT_TRUE(file.Flush().ok());
  EXPECT_EQ(*FileSystem::Real().Read(path),
            absl::StrCat(StepLine(1, 1), "\n", StepLine(2, 3), "\n"));
}

}  // namespace
}  // namespace conadv
