// SPDX-License-Identifier: Apache-2.0
// docs/exit_codes.md, row by row, with real processes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "tests/integration/local_run.h"
#include "tests/support/process.h"
#include "tests/support/temp_dir.h"

namespace conadv {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class ExitCodes : public ::testing::Test {
 protected:
  ExitCodes() { WriteJob("job", "steps: 3"); }

  void WriteJob(const std::string& name, const std::string& training) {
    WriteFile(directory_ / name, absl::StrCat(R"(
      name: "coded" model { builtin: "mlp" } dataset { path: ")",
                                              (directory_ / "nowhere"), R"(" }
      training { global_batch: 8 slots: 2 )",
                                              training, R"( }
      optimizer { sgd {} } schedule { peak: 0.1 } evaluation { attack_steps: 0 })"));
  }

  static std::vector<std::string> Program(const std::string& name, std::vector<std::string> flags) {
    flags.insert(flags.begin(), BinaryPath(name));
    return flags;
  }
  Process Server(std::vector<std::string> flags = {}) {
    flags.push_back(absl::StrCat("--job=", directory_ / "job"));
    return Process(Program("conadv-server", std::move(flags)));
  }
  static Process Worker(const std::string& coordinator, std::vector<std::string> flags) {
    flags.push_back(absl::StrCat("--coordinator=", coordinator));
    return Process(Program("conadv-worker", std::move(flags)));
  }
  static Process Simulated(const std::string& coordinator, const std::string& time = "0ms",
                           const std::string& parameters = "1K") {
    return Worker(coordinator, {absl::StrCat("--simulate=attack=", time, ",clean=", time,
                                             ",adversarial=", time, ",parameters=", parameters)});
  }
  static std::string AddressOf(Process& server) {
    return server.ReadAfter("listening on ", kPatience).value_or("nowhere");
  }
  // Whether the server says that somebody has joined.
  static bool SomebodyJoins(Process& server) {
    for (;;) {
      const absl::StatusOr<std::string> line = server.ReadErrorLine(kPatience);
      if (!line.ok() || absl::StrContains(*line, " has joined")) return line.ok();
    }
  }
  static int CodeOf(Process& process) {
    const absl::StatusOr<ExitStatus> exit = process.Wait(kPatience);
    EXPECT_TRUE(exit.ok()) << exit.status();
    return exit.ok() && exit->signal == 0 ? exit->code : -1;
  }
  static int CodeOf(Process&& process) { return CodeOf(process); }
  int Conadv(std::vector<std::string> flags, const std::string& says = "") {
    Process command(Program("conadv", std::move(flags)));
    const int code = CodeOf(command);
    EXPECT_THAT(command.error(), HasSubstr(says));
    return code;
  }

  const TempDir directory_;
};

TEST_F(ExitCodes, ServersAndWorkersOfARunThatIsOverEndWith0) {
  Process server = Server();
  const std::string address = AddressOf(server);
  Process worker = Simulated(address);
  EXPECT_EQ(CodeOf(worker), 0) << worker.error();
  EXPECT_EQ(CodeOf(server), 0) << server.error();
}

TEST_F(ExitCodes, ASignalAfterTheEndChangesNothing) {
  Process server = Server({"--when_done=wait"});
  const std::string address = AddressOf(server);
  Process worker =
      Worker(address,
             {"--when_done=wait", "--simulate=attack=0ms,clean=0ms,adversarial=0ms,parameters=1K"});
  ASSERT_TRUE(worker.ReadAfter("the run is over", kPatience).ok()) << worker.error();
  worker.Signal(SIGTERM);
  server.Signal(SIGTERM);
  EXPECT_EQ(CodeOf(worker), 0) << worker.error();
  EXPECT_EQ(CodeOf(server), 0) << server.error();
}

TEST_F(ExitCodes, WhatAnotherTryMayMendIs1) {
  Process server = Server();
  const std::string address = AddressOf(server);
  EXPECT_EQ(CodeOf(Server({"--listen=" + address})), 1);  // the port is in use
  server.Kill();
  EXPECT_EQ(CodeOf(Worker(address, {"--connect_timeout=0.2"})), 1);
  EXPECT_EQ(CodeOf(Process(Program(
                "conadv-server",
                {"--shard=1", "--shards=2", "--coordinator=" + address, "--connect_timeout=0.2"}))),
            1);
  EXPECT_EQ(Conadv({"status", "--server=" + address, "--timeout=0.2"}, "gave up after"), 1);
}

TEST_F(ExitCodes, EveryCommandsHelpSaysItsUsageAnExampleAndTheCodes) {
  Process list(Program("conadv", {"help"}));
  ASSERT_EQ(CodeOf(list), 0);
  int commands = 0;
  for (const absl::string_view line : absl::StrSplit(list.output(), '\n')) {
    if (!absl::StartsWith(line, "  ")) continue;
    const std::string name(absl::StripAsciiWhitespace(line.substr(0, line.find(' ', 2))));
    Process help(Program("conadv", {name, "--help"}));
    EXPECT_EQ(CodeOf(help), 0) << name;
    EXPECT_THAT(help.output(),
                AllOf(HasSubstr("usage: conadv " + name), HasSubstr("exit code: 0 done")))
        << name;
    const size_t example = help.output().find("example: ");
    ASSERT_NE(example, std::string::npos) << name;
    EXPECT_THAT(help.output().substr(example), HasSubstr("conadv " + name)) << name;
    ++commands;
  }
  EXPECT_GE(commands, 13);
}

TEST_F(ExitCodes, ACommandLineThatIsNotUnderstoodIs2) {
  EXPECT_EQ(Conadv({"trian"}), 2);
  EXPECT_EQ(Conadv({"status", "--sever=a:1"}), 2);
  EXPECT_EQ(Conadv({"status"}, "--server=HOST:PORT is needed"), 2);
  EXPECT_EQ(Conadv({"status", "--server=a"}), 2);
  EXPECT_EQ(Conadv({"train", "--device=abacus"}), 2);
  EXPECT_EQ(Conadv({"train", "--resume=a", "--out=b"}), 2);
  EXPECT_EQ(Conadv({"pull", "--server=a:1", "--out=b", "--version=1", "--lag=1"}), 2);
  EXPECT_EQ(Conadv({"eval"}), 2);
}

TEST_F(ExitCodes, WhatOnlyAPersonCanMendIs42) {
  EXPECT_EQ(CodeOf(Server({"--lisen=a:1"})), 42);
  EXPECT_EQ(CodeOf(Process(Program("conadv-server", {}))), 42);
  EXPECT_EQ(CodeOf(Process(Program("conadv-server", {"--job=nowhere"}))), 42);
  EXPECT_EQ(CodeOf(Worker("not an address", {})), 42);
  EXPECT_EQ(CodeOf(Worker("a:1", {"--device=abacus"})), 42);
  WriteJob("wrong", "tau: 200");
  const std::string wrong = absl::StrCat("--job=", directory_ / "wrong");
  EXPECT_EQ(CodeOf(Process(Program("conadv-server", {wrong}))), 42);
  EXPECT_EQ(Conadv({"validate", wrong}, "must be ≤ 63"), 42);
  EXPECT_EQ(Conadv({"train", wrong, absl::StrCat("--out=", directory_ / "out")}), 42);
}

TEST_F(ExitCodes, DataOrALayoutThatWillNeverDoIs42) {
  Process server = Server();
  const std::string address = AddressOf(server);
  Process without_data = Worker(address, {});
  EXPECT_EQ(CodeOf(without_data), 42) << without_data.error();
  Process slow = Simulated(address, "1s");
  ASSERT_TRUE(SomebodyJoins(server)) << server.error();
  Process other = Simulated(address, "0ms", "2K");
  EXPECT_EQ(CodeOf(other), 42) << other.error();
  EXPECT_EQ(Conadv({"train", absl::StrCat("--job=", directory_ / "job"),
                    absl::StrCat("--out=", directory_ / "out")},
                   "dataset.path: "),
            42);
}

TEST_F(ExitCodes, WhoIsStoppedBeforeTheEndSaysByWhichSignal) {
  for (const int number : {SIGTERM, SIGINT}) {
    Process server = Server();
    const std::string address = AddressOf(server);
    Process worker = Simulated(address, "1s");
    ASSERT_TRUE(SomebodyJoins(server)) << server.error();
    for (Process* const process : {&worker, &server}) process->Signal(number);
    EXPECT_EQ(CodeOf(worker), 128 + number) << worker.error();
    EXPECT_EQ(CodeOf(server), 128 + number) << server.error();
  }
}

TEST_F(ExitCodes, TrainSaysByWhichSignalItWasStoppedAndThatItsJobWillNeverDo) {
  for (const int number : {SIGTERM, SIGINT}) {
    LocalRun run(SharedData(), {1, 1, {"training.steps=1000000"}, ""});
    ASSERT_NE(run.Coordinator(), "");
    run.process().Signal(number);
    EXPECT_EQ(CodeOf(run.process()), 128 + number) << run.process().error();
  }
  // Its workers find it so.
  LocalRun hopeless(SharedData(), {1, 1, {"model.torchscript=" + SharedData() + "/none"}, ""});
  EXPECT_EQ(CodeOf(hopeless.process()), 42) << hopeless.process().error();
}

}  // namespace
}  // namespace conadv
