// SPDX-License-Identifier: Apache-2.0
#include "tests/support/process.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include "cli/process/lines.h"
#include "tests/support/temp_dir.h"

namespace conadv {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr absl::Duration kDeadline = absl::Seconds(20);

std::vector<std::string> Shell(const std::string& script) { return {"/bin/sh", "-c", script}; }

TEST(LineSplitter, GivesALineOnceItsEndHasCome) {
  LineSplitter splitter;
  EXPECT_THAT(splitter.Add("one\ntw"), ElementsAre("one"));
  EXPECT_THAT(splitter.Add(""), IsEmpty());
  EXPECT_THAT(splitter.Add("o\n\nthree"), ElementsAre("two", ""));
  EXPECT_EQ(splitter.TakeRest(), "three");
  EXPECT_EQ(splitter.TakeRest(), "");
}

TEST(LineSplitter, CutsALineThatNeverEnds) {
  LineSplitter splitter;
  for (int i = 0; i < 100; ++i) splitter.Add(std::string(4096, 'x'));
  EXPECT_EQ(splitter.TakeRest().size(), 64U << 10);
}

TEST(Spawn, GivesOutputErrorsAndExitCode) {
  Process process(Shell("echo out; echo err >&2; echo address a:1; exit 3"));
  EXPECT_EQ(process.ReadLine(kDeadline).value(), "out");
  EXPECT_EQ(process.ReadAfter("address ", kDeadline).value(), "a:1");
  EXPECT_EQ(process.ReadErrorLine(kDeadline).value(), "err");
  const absl::StatusOr<ExitStatus> exit = process.Wait(kDeadline);
  ASSERT_TRUE(exit.ok()) << exit.status();
  EXPECT_EQ(exit->ToString(), "exit code 3");
  EXPECT_EQ(process.ReadLine(kDeadline).status().code(), absl::StatusCode::kOutOfRange);
}

TEST(Spawn, SaysWhichSignalEndedTheProcess) {
  Process process(Shell("kill -TERM $$"));
  EXPECT_THAT(process.Wait(kDeadline)->ToString(), HasSubstr("signal 15"));
}

TEST(Spawn, AWaitEndsAtItsDeadlineAndTheProcessCanThenBeKilled) {
  Process process(Shell("exec tail -f /dev/null"));
  EXPECT_EQ(process.Wait(absl::Milliseconds(20)).status().code(),
            absl::StatusCode::kDeadlineExceeded);
  EXPECT_TRUE(process.running());
  process.Kill();
  EXPECT_FALSE(process.running());
  EXPECT_EQ(process.Wait(kDeadline)->signal, SIGKILL);
}

TEST(Spawn, AMissingProgramIsAnErrorThatNamesIt) {
  SpawnOptions options;
  options.arguments = {"/no/such/program"};
  const absl::StatusOr<Child> child = Spawn(options);
  ASSERT_FALSE(child.ok());
  EXPECT_EQ(child.status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(child.status().message(), HasSubstr("/no/such/program"));
}

TEST(Spawn, AnAddedVariableReplacesOurs) {
  Process process({"/bin/sh", "-c", "echo $HOME:$ADDED"}, {"HOME=/elsewhere", "ADDED=yes"});
  EXPECT_EQ(process.ReadLine(kDeadline).value(), "/elsewhere:yes");
}

TEST(Spawn, StandardErrorIsAppendedToAFile) {
  TempDir directory;
  WriteFile(directory / "log", "before\n");
  SpawnOptions options;
  options.arguments = {"/bin/sh", "-c", "echo after >&2"};
  options.error_path = directory / "log";
  absl::StatusOr<Child> child = Spawn(options);
  ASSERT_TRUE(child.ok()) << child.status();
  EXPECT_TRUE(Reap(child->pid).ok());
  EXPECT_EQ(ReadFile(directory / "log"), "before\nafter\n");
}

TEST(Spawn, NothingOutlivesTheObject) {
  pid_t pid = 0;
  {
    Process process(Shell("exec tail -f /dev/null"));
    pid = process.pid();
    EXPECT_EQ(kill(pid, 0), 0);
  }
  EXPECT_EQ(kill(pid, 0), -1);
}

}  // namespace
}  // namespace conadv
