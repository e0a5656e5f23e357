// SPDX-License-Identifier: Apache-2.0
#include "cli/deployment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "absl/strings/str_cat.h"
#include "cli/run_directory.h"
#include "tests/support/temp_dir.h"

namespace conadv {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

Deployment TwoByThree() { return {"/bin/s", "/bin/w", "out/a", 2, 3, 4, 5}; }

TEST(Deployment, Shard0HasTheJobAndTheOthersItsAddress) {
  const ProcessSpec first = ServerSpec(TwoByThree(), 0, "");
  EXPECT_EQ(first.name, "server-0");
  EXPECT_EQ(first.log_path, "out/a/logs/server-0.log");
  EXPECT_THAT(first.arguments,
              ElementsAre("/bin/s", "--shard=0", "--shards=2", "--listen=127.0.0.1:0",
                          "--checkpoint_dir=out/a/checkpoints", "--job=out/a/job.textproto",
                          "--evaluator_patience=60s"));
  EXPECT_THAT(ServerSpec(TwoByThree(), 1, "h:1").arguments,
              ElementsAre("/bin/s", "--shard=1", "--shards=2", "--listen=127.0.0.1:0",
                          "--checkpoint_dir=out/a/checkpoints", "--coordinator=h:1"));
}

TEST(Deployment, WorkersNeedTheCoordinatorAlone) {
  EXPECT_THAT(WorkerSpec(TwoByThree(), 2, "h:1").arguments,
              ElementsAre("/bin/w", "--coordinator=h:1", "--threads=4", "--name=worker-2"));
  EXPECT_THAT(EvaluatorSpec(TwoByThree(), "h:1").arguments,
              ElementsAre("/bin/w", "--role=evaluator", "--coordinator=h:1", "--threads=5",
                          "--name=evaluator"));
}

TEST(Deployment, RolesFollowFromNames) {
  EXPECT_EQ(RoleOf(ServerName(3)), ProcessRole::kServer);
  EXPECT_EQ(RoleOf(WorkerName(3)), ProcessRole::kWorker);
  EXPECT_EQ(RoleOf(kEvaluatorName), ProcessRole::kEvaluator);
}

TEST(Deployment, ProgramsBesideUsGoBeforeThoseOnThePath) {
  TempDir directory;
  WriteFile(directory / "path/tool", "");
  chmod((directory / "path/tool").c_str(), 0755);
  EXPECT_EQ(FindProgram("tool", directory / "own", directory / "path").value(),
            directory / "path/tool");
  // What cannot be run is not it.
  WriteFile(directory / "own/tool", "");
  chmod((directory / "own/tool").c_str(), 0644);
  EXPECT_EQ(FindProgram("tool", directory / "own", directory / "path").value(),
            directory / "path/tool");
  chmod((directory / "own/tool").c_str(), 0755);
  EXPECT_EQ(FindProgram("tool", directory / "own", directory / "path").value(),
            directory / "own/tool");
  EXPECT_THAT(FindProgram("other", directory / "own", "").status().message(),
              AllOf(HasSubstr("other"), HasSubstr(directory / "own")));
}

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
