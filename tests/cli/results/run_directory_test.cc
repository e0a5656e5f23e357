// SPDX-License-Identifier: Apache-2.0
#include "cli/results/run_directory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/status/status.h"
#include "cli/results/run_paths.h"
#include "tests/support/temp_dir.h"

namespace conadv {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class RunDirectoryTest : public ::testing::Test {
 protected:
  absl::Status Prepare(bool force) {
    return PrepareRunDirectory(run_, "name: \"a\"", force, &earlier_, FileSystem::Real());
  }

  TempDir directory_;
  const std::string run_ = directory_ / "out/a";
  EarlierRun earlier_{run_, RunEntries(), &FileSystem::Real()};
};

TEST_F(RunDirectoryTest, IsMadeWithTheJobInIt) {
  ASSERT_TRUE(Prepare(false).ok());
  EXPECT_EQ(ReadFile(JobPath(run_)), "name: \"a\"");
  EXPECT_TRUE(FileSystem::Real().Exists(LogDirectory(run_)));
}

TEST_F(RunDirectoryTest, AnEarlierRunIsReplacedByForceOnly) {
  ASSERT_TRUE(Prepare(false).ok());
  WriteFile(WeightsPath(run_), "precious");
  const absl::Status refused = Prepare(false);
  EXPECT_EQ(refused.code(), absl::StatusCode::kAlreadyExists);
  EXPECT_THAT(refused.message(), AllOf(HasSubstr(run_), HasSubstr("--force")));
  EXPECT_EQ(ReadFile(WeightsPath(run_)), "precious");
  EXPECT_TRUE(Prepare(true).ok());
  EXPECT_FALSE(FileSystem::Real().Exists(WeightsPath(run_)));
  ASSERT_TRUE(earlier_.Drop().ok());
  EXPECT_THAT(FileSystem::Real().List(run_).value(), ElementsAre("job.textproto", "logs"));
}

TEST_F(RunDirectoryTest, NothingElseIsReplacedEvenByForce) {
  WriteFile(run_ + "/thesis.tex", "precious");
  EXPECT_EQ(Prepare(true).code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(ReadFile(run_ + "/thesis.tex"), "precious");
}

TEST_F(RunDirectoryTest, AJobFileAmongOtherThingsDoesNotMakeThemARun) {
  ASSERT_TRUE(Prepare(false).ok());
  WriteFile(run_ + "/build/program", "precious");
  const absl::Status refused = Prepare(true);
  EXPECT_EQ(refused.code(), absl::StatusCode::kAlreadyExists);
  EXPECT_THAT(refused.message(), HasSubstr("build"));
  EXPECT_EQ(ReadFile(run_ + "/build/program"), "precious");
  EXPECT_TRUE(FileSystem::Real().Exists(JobPath(run_)));
}

TEST_F(RunDirectoryTest, AFolderOfJobFilesIsNotARun) {
  WriteFile(JobPath(run_), "precious");
  EXPECT_EQ(Prepare(true).code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(ReadFile(JobPath(run_)), "precious");
}

TEST(FinalReason, IsWhatAProgramOfOursSaidOfItsEndAndNothingElse) {
  EXPECT_EQ(FinalReason("W2025 1 a.cc:9] late\nconadv-worker: no data\nW2025 1 a.cc:9] gone\n"),
            "no data");
  EXPECT_EQ(FinalReason("conadv-server: first\nconadv-server: last"), "last");
  EXPECT_EQ(FinalReason("E20250801 12:00:00.1 7 main.cc:9] a push took long\n"), "");
  EXPECT_EQ(FinalReason(""), "");
}

}  // namespace
}  // namespace conadv
