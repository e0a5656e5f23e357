// SPDX-License-Identifier: Apache-2.0
// A run that was stopped goes on where its checkpoints are, in another `conadv train`.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <filesystem>

#include "absl/strings/str_cat.h"
#include "tests/integration/local_run.h"

namespace conadv {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

const std::vector<std::string> kSettings = {"training.steps=300", "model.width=64",
                                            "server.checkpoint_every=10", "training.tau=2",
                                            "optimizer.lars.trust=0.02",
                                            // Restored too: what is compared is the average.
                                            "optimizer.average.decay=0.9"};

class Resume : public ::testing::Test {
 protected:
  // Stopped once version 60 was there.
  void StopMidway(LocalRun& run, int signal) {
    Process pull({BinaryPath("conadv"), "pull", "--server=" + run.Coordinator(), "--version=60",
                  "--out=" + run.out() + ".60"});
    ASSERT_TRUE(pull.Wait(kPatience)->ok()) << pull.error();
    run.process().Signal(signal);
    ASSERT_TRUE(run.process().Wait(kPatience).ok());
  }
  nlohmann::json Go(const LocalRun& run, const std::vector<std::string>& more = {}) {
    std::vector<std::string> arguments = {BinaryPath("conadv"), "train", "--json", "--threads=1",
                                          "--resume=" + run.out()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    Process train(arguments);
    const auto exit = train.Wait(kPatience);
    error_ = train.error();
    if (!exit.ok() || !exit->ok()) return {};
    return nlohmann::json::parse(train.output());
  }
  std::string error_;
};

TEST_F(Resume, AStoppedRunGoesOnToTheSameBits) {
  LocalRun whole(SharedData(), {2, 2, kSettings, ""});
  whole.Finish();
  for (const int signal : {SIGINT, SIGKILL}) {
    LocalRun part(SharedData(), {2, 2, kSettings, ""});
    StopMidway(part, signal);
    const nlohmann::json summary = Go(part);
    ASSERT_TRUE(summary.is_object()) << error_;
    EXPECT_EQ(summary["weights_crc32c"], whole.crc());
    EXPECT_THAT(error_, HasSubstr("goes on from the checkpoint of version"));
    const std::vector<nlohmann::json> steps = part.Metrics("step");
    ASSERT_EQ(steps.size(), 300U) << "each update once";
    for (size_t i = 0; i < steps.size(); ++i) EXPECT_EQ(steps[i]["version"], i + 1);
  }
}

TEST_F(Resume, AFinishedRunIsFinishedAgain) {
  LocalRun run(SharedData(), {1, 1, {}, ""});
  run.Finish();
  const nlohmann::json summary = Go(run);
  ASSERT_TRUE(summary.is_object()) << error_;
  EXPECT_EQ(summary["weights_crc32c"], run.crc());
  EXPECT_EQ(run.Metrics("step").size(), 10U);
  EXPECT_EQ(run.Metrics("evaluation").size(), 1U);
}

TEST_F(Resume, ARunIsNotReplacedByOneThatCannotBegin) {
  LocalRun run(SharedData(), {1, 1, {}, ""});
  run.Finish();
  Process train({BinaryPath("conadv"), "train", "--force", "--out=" + run.out(),
                 "--data_dir=" + run.out() + "/nowhere"});
  const auto exit = train.Wait(kPatience);
  ASSERT_TRUE(exit.ok());
  EXPECT_FALSE(exit->ok());
  EXPECT_THAT(train.error(), HasSubstr("dataset.path: "));
  EXPECT_TRUE(Go(run).is_object()) << error_;
}

TEST_F(Resume, WhatCannotGoOnIsRefusedInWords) {
  LocalRun run(SharedData(), {1, 1, {}, ""});
  run.Finish();
  Go(run, {"--servers=2"});
  EXPECT_THAT(error_, HasSubstr("has 1 servers, and cannot go on with 2"));
  Go(run, {"--set", "training.tau=3"});
  EXPECT_THAT(error_, HasSubstr("training.tau: 1 -> 3"));
  EXPECT_TRUE(Go(run).is_object()) << "what was refused changed nothing: " << error_;
  Go(run, {"--out=elsewhere"});
  EXPECT_THAT(error_, HasSubstr("--out does not go with --resume"));
  const TempDir empty;
  Process train({BinaryPath("conadv"), "train", "--resume=" + empty.path()});
  ASSERT_TRUE(train.Wait(kPatience).ok());
  EXPECT_THAT(train.error(), HasSubstr("there is no run with a checkpoint in"));
}

// A disk that was not mounted, and then is.
TEST_F(Resume, AShardWithoutItsCheckpointsStopsTheRunAndNothingIsLost) {
  LocalRun run(SharedData(), {2, 1, {}, ""});
  run.Finish();
  const std::string checkpoints = run.out() + "/checkpoints";
  std::vector<std::string> hidden;
  for (const auto& version : std::filesystem::directory_iterator(checkpoints)) {
    if (!version.is_directory()) continue;  // what a shard has written down beside them
    hidden.push_back(version.path() / "shard-1-of-2");
    std::filesystem::rename(hidden.back(), hidden.back() + ".hidden");
  }
  EXPECT_FALSE(Go(run).is_object());
  EXPECT_THAT(error_, AllOf(HasSubstr("shard 0 has version 10"), HasSubstr("shard 1 has none in"),
                            HasSubstr("--begin_anew")));
  for (const std::string& path : hidden) std::filesystem::rename(path + ".hidden", path);
  const nlohmann::json summary = Go(run);
  ASSERT_TRUE(summary.is_object()) << error_;
  EXPECT_EQ(summary["weights_crc32c"], run.crc());
  EXPECT_EQ(summary["updates_recomputed"], 0);
}

TEST_F(Resume, WhereEveryCheckpointIsDamagedThePersonDecides) {
  LocalRun run(SharedData(), {1, 1, {}, ""});
  run.Finish();
  for (const auto& version : std::filesystem::directory_iterator(run.out() + "/checkpoints")) {
    if (!version.is_directory()) continue;
    std::filesystem::resize_file(version.path() / "shard-0-of-1/weights.safetensors", 10);
  }
  EXPECT_FALSE(Go(run).is_object());
  EXPECT_THAT(error_,
              AllOf(HasSubstr("shard 0 has refused version 10"),
                    HasSubstr("weights.safetensors has another size"), HasSubstr("--begin_anew")));
  const nlohmann::json summary = Go(run, {"--begin_anew"});
  ASSERT_TRUE(summary.is_object()) << error_;
  EXPECT_EQ(summary["weights_crc32c"], run.crc());
  EXPECT_TRUE(std::filesystem::exists(
      run.out() + "/checkpoints/set-aside/000000000010-shard-0-of-1-0/weights.safetensors"));
}

}  // namespace
}  // namespace conadv
