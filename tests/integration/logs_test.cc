// SPDX-License-Identifier: Apache-2.0
// What servers and workers log in a whole run.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "tests/integration/local_run.h"
#include "tests/support/process.h"
#include "tests/support/temp_dir.h"

namespace conadv {
namespace {

using ::testing::HasSubstr;

constexpr char kStepsLogged[] = "200";

// The lines of a server's log of a run of 200 steps with one simulated worker.
std::vector<std::string> LogOfARun(const std::string& format) {
  const TempDir directory;
  WriteFile(directory / "job", absl::StrCat(R"(name: "logged" model { builtin: "mlp" }
    dataset { path: "nowhere" } training { global_batch: 8 slots: 2 steps: )",
                                            kStepsLogged, R"( } optimizer { sgd {} }
    schedule { peak: 0.1 } evaluation { attack_steps: 0 })"));
  Process server({BinaryPath("conadv-server"), "--job=" + (directory / "job"),
                  "--checkpoint_dir=" + (directory / "checkpoints"), "--log_format=" + format});
  const std::string address = server.ReadAfter("listening on ", kPatience).value_or("");
  Process worker({BinaryPath("conadv-worker"), "--coordinator=" + address, "--name=w",
                  "--log_format=" + format,
                  "--simulate=attack=0ms,clean=0ms,adversarial=0ms,parameters=1K"});
  for (Process* const process : {&worker, &server}) {
    const auto exit = process->Wait(kPatience);
    EXPECT_TRUE(exit.ok() && exit->ok()) << process->error();
  }
  return absl::StrSplit(server.error(), '\n', absl::SkipEmpty());
}

TEST(Logs, EachLineOfTextSaysTheJobTheRoleAndWhichAndNoStepHasOne) {
  const std::vector<std::string> lines = LogOfARun("text");
  EXPECT_GT(lines.size(), 2U);
  EXPECT_LT(lines.size(), 12U) << "a line for each event that matters, none for each step";
  for (const std::string& line : lines) EXPECT_THAT(line, HasSubstr("] logged server 0: "));
}

TEST(Logs, EachLineOfJsonIsAnObjectWithTheSame) {
  const std::vector<std::string> lines = LogOfARun("json");
  EXPECT_GT(lines.size(), 2U);
  bool joined = false;
  for (const std::string& line : lines) {
    const nlohmann::json json = nlohmann::json::parse(line, nullptr, /*allow_exceptions=*/false);
    ASSERT_TRUE(json.is_object()) << line;
    EXPECT_EQ(json["job"], "logged");
    EXPECT_EQ(json["role"], "server");
    EXPECT_EQ(json["id"], "0");
    EXPECT_EQ(json["severity"], "INFO");
    EXPECT_TRUE(absl::StrContains(json["file"].get<std::string>(), ".cc:"));
    EXPECT_TRUE(absl::EndsWith(json["time"].get<std::string>(), "Z"));
    joined = joined || absl::StrContains(json["message"].get<std::string>(), " has joined");
  }
  EXPECT_TRUE(joined);
}

TEST(Logs, TheLastWordIsAnObjectToo) {
  Process worker({BinaryPath("conadv-worker"), "--coordinator=127.0.0.1:9", "--name=w\"1",
                  "--connect_timeout=0.1", "--log_format=json"});
  const auto exit = worker.Wait(kPatience);
  ASSERT_TRUE(exit.ok());
  EXPECT_EQ(exit->code, 1);
  const nlohmann::json json = nlohmann::json::parse(worker.error(), nullptr, false);
  ASSERT_TRUE(json.is_object()) << worker.error();
  EXPECT_EQ(json["role"], "worker");
  EXPECT_EQ(json["id"], "w\"1");
  EXPECT_THAT(json["message"].get<std::string>(), HasSubstr("not reached within"));
}

}  // namespace
}  // namespace conadv
