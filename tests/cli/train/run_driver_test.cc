// SPDX-License-Identifier: Apache-2.0
// A run's driver with real processes: scripts in the place of our programs.
#include "cli/train/run_driver.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>

#include <memory>
#include <sstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/program/exit_code.h"
#include "tests/support/temp_dir.h"

namespace conadv {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

class RunDriverTest : public ::testing::Test {
 protected:
  void SetUp() override {
    deployment_.directory = directory_ / "run";
    deployment_.server_program = directory_ / "server";
    deployment_.worker_program = directory_ / "worker";
    ASSERT_TRUE(FileSystem::Real().MakeDirectories(directory_ / "run/logs").ok());
    supervisor_ = Supervisor::Create().value();
  }

  void ServerDoes(const std::string& script) {
    WriteFile(deployment_.server_program, absl::StrCat("#!/bin/sh\n", script, "\n"));
    chmod(deployment_.server_program.c_str(), 0755);
  }

  absl::Status Run() {
    ProgressDisplay display(&shown_, nullptr);
    EarlierRun earlier(deployment_.directory, {}, &FileSystem::Real());
    return RunDriver(deployment_, Job(), supervisor_.get(), &display, &earlier, &FileSystem::Real())
        .Run()
        .status();
  }

  const TempDir directory_;
  Deployment deployment_;
  std::unique_ptr<Supervisor> supervisor_;
  std::ostringstream shown_;
};

TEST_F(RunDriverTest, AServerThatRefusesEndsTheRunWithItsWordsAndItsLog) {
  ServerDoes("echo 'conadv-server: no port' >&2; exit 1");
  EXPECT_EQ(Run().message(),
            absl::StrCat("server-0 ended with exit code 1 before the run was finished: no port "
                         "(log: ",
                         directory_ / "run/logs/server-0.log", ")"));
}

TEST_F(RunDriverTest, AProgramThatIsNotThereEndsTheRun) {
  EXPECT_THAT(Run().message(), HasSubstr(deployment_.server_program));
}

TEST_F(RunDriverTest, AnInterruptLeavesNothingRunning) {
  ServerDoes("exec sleep 600");
  raise(SIGINT);
  EXPECT_EQ(Run(), StoppedBySignal(SIGINT, "interrupted; the run has been stopped"));
  EXPECT_THAT(supervisor_->running(), IsEmpty());
}

TEST_F(RunDriverTest, AWorkerThatCannotBeStartedEndsTheServersToo) {
  ServerDoes("echo 'listening on 127.0.0.1:1'; exec sleep 600");
  EXPECT_THAT(Run().message(), HasSubstr(deployment_.worker_program));
  EXPECT_THAT(supervisor_->running(), IsEmpty());
  EXPECT_THAT(shown_.str(), HasSubstr("coordinator: 127.0.0.1:1"));
}

}  // namespace
}  // namespace conadv
