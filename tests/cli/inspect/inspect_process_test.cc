// SPDX-License-Identifier: Apache-2.0
// The inspecting commands as processes, against a server that waits for workers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "cli/job/default_job.h"
#include "tests/support/process.h"
#include "tests/support/temp_dir.h"

namespace conadv {
namespace {

using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;

constexpr absl::Duration kLong = absl::Seconds(30);

std::string BinaryPath(const std::string& name) { return absl::StrCat(CONADV_BIN_DIR, "/", name); }

class InspectProcessTest : public ::testing::Test {
 protected:
  InspectProcessTest() {
    WriteFile(directory_ / "job", DefaultJobText());
    StartServer("127.0.0.1:0");
  }

  void StartServer(const std::string& listen) {
    server_ = std::make_unique<Process>(std::vector<std::string>{
        BinaryPath("conadv-server"), "--job=" + (directory_ / "job"), "--listen=" + listen});
    const absl::StatusOr<std::string> address = server_->ReadAfter("listening on ", kLong);
    ASSERT_TRUE(address.ok()) << address.status();
    address_ = *address;
  }

  Process Conadv(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), BinaryPath("conadv"));
    arguments.push_back("--server=" + address_);
    return Process(std::move(arguments));
  }

  const TempDir directory_;
  std::unique_ptr<Process> server_;
  std::string address_;
};

TEST_F(InspectProcessTest, AWatchGoesOnWhenItsServerHasBeenStartedAgain) {
  Process watch = Conadv({"status", "--watch", "--json", "--interval=0.05"});
  const auto incarnation = [&]() -> std::string {
    const absl::StatusOr<std::string> line = watch.ReadLine(kLong);
    return line.ok() ? nlohmann::json::parse(*line)["incarnation"].get<std::string>() : "";
  };
  const std::string first = incarnation();
  EXPECT_NE(first, "");
  server_->Kill();
  const auto waiting = watch.ReadErrorAfter("waiting for server-0 at ", kLong);
  ASSERT_TRUE(waiting.ok()) << waiting.status();
  EXPECT_THAT(*waiting, HasSubstr(address_));
  StartServer(address_);
  // What was printed before comes first.
  std::string then = first;
  while (then == first) then = incarnation();
  EXPECT_NE(then, "");
  watch.Signal(SIGINT);
  const absl::StatusOr<ExitStatus> end = watch.Wait(kLong);
  ASSERT_TRUE(end.ok()) << end.status();
  EXPECT_TRUE(end->ok()) << end->ToString();
}

TEST_F(InspectProcessTest, AWatchEndsWhenItsServerStaysAway) {
  Process watch = Conadv({"workers", "--watch", "--interval=0.05", "--timeout=0.2"});
  ASSERT_TRUE(watch.ReadLine(kLong).ok());
  server_->Kill();
  const absl::StatusOr<ExitStatus> end = watch.Wait(kLong);
  ASSERT_TRUE(end.ok()) << end.status();
  EXPECT_EQ(end->code, 1);
  EXPECT_THAT(watch.error(), HasSubstr("gave up after 200ms of waiting for server-0"));
}

TEST_F(InspectProcessTest, WhatCannotBePrintedIsAnErrorOfEveryCommand) {
  for (const std::string command : {"status", "workers", "snapshots", "staleness", "status --json",
                                    "status --watch", "workers --watch --json"}) {
    for (const std::string output : {">/dev/full", ">&-"}) {
      Process shell({"/bin/sh", "-c",
                     absl::StrCat(BinaryPath("conadv"), " ", command,
                                  " --interval=0.05 --server=", address_, " ", output)});
      const absl::StatusOr<ExitStatus> end = shell.Wait(kLong);
      ASSERT_TRUE(end.ok()) << end.status();
      EXPECT_EQ(end->code, 1) << command << output;
      EXPECT_THAT(shell.error(), HasSubstr("standard output cannot be written")) << command;
    }
  }
}

TEST_F(InspectProcessTest, WhoeverTalksToAServerTakesCredentials) {
  Process help({BinaryPath("conadv"), "help"});
  ASSERT_TRUE(help.Wait(kLong).ok());
  int asked = 0;
  for (const absl::string_view line : absl::StrSplit(help.output(), '\n')) {
    if (!absl::StartsWith(line, "  ")) continue;
    const std::vector<std::string> words = absl::StrSplit(line, ' ', absl::SkipEmpty());
    if (words.empty()) continue;
    Process command({BinaryPath("conadv"), words.front(), "--help"});
    ASSERT_TRUE(command.Wait(kLong).ok());
    if (!absl::StrContains(command.output(), "--server=HOST:PORT")) continue;
    ++asked;
    EXPECT_THAT(command.output(), HasSubstr("--tls_ca=FILE")) << words.front();
  }
  EXPECT_GE(asked, 10);
}

TEST_F(InspectProcessTest, AReaderThatHasSeenEnoughEndsAWatchQuietly) {
  Process shell({"/bin/sh", "-c",
                 absl::StrCat(BinaryPath("conadv"), " status --watch --json --interval=0.05 ",
                              "--server=", address_, " | head -n 1")});
  const absl::StatusOr<ExitStatus> end = shell.Wait(kLong);
  ASSERT_TRUE(end.ok()) << end.status();
  EXPECT_THAT(shell.output(), HasSubstr("incarnation"));
  EXPECT_EQ(shell.error(), "");
}

}  // namespace
}  // namespace conadv
