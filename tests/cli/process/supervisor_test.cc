// SPDX-License-Identifier: Apache-2.0
#include "cli/process/supervisor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <semaphore.h>

#include <thread>

#include "common/base/clock.h"
#include "tests/support/temp_dir.h"

namespace conadv {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Kind = ProcessEvent::Kind;

class SupervisorTest : public ::testing::Test {
 protected:
  ProcessSpec Shell(const std::string& name, const std::string& script) {
    return {name, {"/bin/sh", "-c", script}, directory_ / name};
  }
  ProcessEvent Next() { return supervisor_->Next(Clock::Real().Now() + absl::Seconds(20)); }

  TempDir directory_;
  std::unique_ptr<Supervisor> supervisor_ = Supervisor::Create().value();
};

TEST_F(SupervisorTest, LinesComeBeforeTheExit) {
  ASSERT_TRUE(supervisor_->Start(Shell("a", "echo one; echo two; echo oops >&2; exit 4")).ok());
  std::vector<std::string> lines;
  ProcessEvent event = Next();
  while (event.kind == Kind::kLine) {
    EXPECT_EQ(event.process, "a");
    lines.push_back(event.line);
    event = Next();
  }
  EXPECT_THAT(lines, ElementsAre("one", "two"));
  ASSERT_EQ(event.kind, Kind::kExit);
  EXPECT_EQ(event.exit.code, 4);
  EXPECT_THAT(supervisor_->running(), IsEmpty());
  EXPECT_EQ(ReadFile(directory_ / "a"), "oops\n");
}

TEST_F(SupervisorTest, AWaitEndsByItself) {
  EXPECT_EQ(supervisor_->Next(Clock::Real().Now() + absl::Milliseconds(5)).kind, Kind::kTimeout);
}

TEST_F(SupervisorTest, AnyThreadMayWakeIt) {
  std::thread other([&] { supervisor_->Wake(); });
  EXPECT_EQ(Next().kind, Kind::kWoken);
  other.join();
}

TEST_F(SupervisorTest, CtrlCIsAnEventAlsoWhereAnEarlierThreadGetsIt) {
  supervisor_ = nullptr;
  sem_t interrupted;
  sem_init(&interrupted, 0, 0);
  std::thread earlier([&] { sem_wait(&interrupted); });
  supervisor_ = Supervisor::Create().value();
  pthread_kill(earlier.native_handle(), SIGINT);
  EXPECT_EQ(Next().kind, Kind::kInterrupted);
  sem_post(&interrupted);
  earlier.join();
  sem_destroy(&interrupted);
}

TEST_F(SupervisorTest, CtrlCIsAnEventForUsAndNothingForOurChildren) {
  ASSERT_TRUE(supervisor_->Start(Shell("a", "exec tail -f /dev/null")).ok());
  pthread_kill(pthread_self(), SIGINT);
  EXPECT_EQ(Next().kind, Kind::kInterrupted);
  EXPECT_TRUE(supervisor_->Runs("a"));
}

TEST_F(SupervisorTest, StopAsksFirstAndKillsWhatDoesNotListen) {
  ASSERT_TRUE(supervisor_->Start(Shell("polite", "exec tail -f /dev/null")).ok());
  ASSERT_TRUE(
      supervisor_
          ->Start(Shell("deaf", "trap '' TERM; echo deaf; while :; do read x < /dev/null; done"))
          .ok());
  ASSERT_TRUE(supervisor_->Start(Shell("spared", "exec tail -f /dev/null")).ok());
  ASSERT_EQ(Next().line, "deaf");
  supervisor_->Stop({"polite", "deaf"}, absl::Milliseconds(50));
  EXPECT_THAT(supervisor_->running(), ElementsAre("spared"));
}

TEST(Supervisor, WhatIsIgnoredAtTheStartStaysIgnoredByUsAndOurChildren) {
  const TempDir directory;
  signal(SIGHUP, SIG_IGN);
  const std::unique_ptr<Supervisor> nohup = Supervisor::Create().value();
  pthread_kill(pthread_self(), SIGHUP);
  EXPECT_EQ(nohup->Next(Clock::Real().Now()).kind, Kind::kTimeout);
  const std::vector<std::string> shell = {"/bin/sh", "-c", "kill -HUP $$; exit 5"};
  ASSERT_TRUE(nohup->Start({"a", shell, directory / "a"}).ok());
  const ProcessEvent event = nohup->Next(Clock::Real().Now() + absl::Seconds(20));
  ASSERT_EQ(event.kind, Kind::kExit);
  EXPECT_EQ(event.exit.ToString(), "exit code 5");
  signal(SIGHUP, SIG_DFL);
}

TEST_F(SupervisorTest, NamesAreUniqueAmongThoseThatRun) {
  ASSERT_TRUE(supervisor_->Start(Shell("a", "exec tail -f /dev/null")).ok());
  EXPECT_EQ(supervisor_->Start(Shell("a", "true")).code(), absl::StatusCode::kAlreadyExists);
  supervisor_->Stop({"a"}, absl::Seconds(20));
  EXPECT_TRUE(supervisor_->Start(Shell("a", "true")).ok());
}

}  // namespace
}  // namespace conadv
