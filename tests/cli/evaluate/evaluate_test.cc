// SPDX-License-Identifier: Apache-2.0
#include "cli/evaluate/evaluate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "cli/evaluate/outcome.h"
#include "cli/evaluate/subject.h"
#include "tests/support/temp_dir.h"

namespace conadv {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

const absl::Time kBegin = absl::FromUnixSeconds(1000);

constexpr char kHalf[] =
    R"({"stage":"Square","examples":1000,"done":500,"right":400,"standing":250})";
constexpr char kResult[] =
    R"({"result":{"version":7,"examples":1000,"clean_accuracy":0.75,"clean_loss":0.5,)"
    R"("robust_accuracy":0.25,"attacks":[{"name":"APGD-CE","accuracy":0.5},)"
    R"({"name":"Square","accuracy":0.25}],"corruptions":[{"name":"fog","accuracy":0.5}],)"
    R"("warnings":["masked"],"seconds":61.5}})";

TEST(EvalOutcome, ProgressSaysHowFarItIsAndHowLongItTakes) {
  EvalState state;
  TakeLine(R"({"stage":"clean","examples":1000,"done":0,"right":0,"standing":0})", kBegin, &state);
  EXPECT_EQ(EvalProgressText(state, kBegin, 80), "0/1000  clean");
  TakeLine(kHalf, kBegin + absl::Seconds(30), &state);
  EXPECT_EQ(EvalProgressText(state, kBegin + absl::Seconds(30), 80),
            "500/1000  Square  clean 0.800  robust 0.500  ETA 0:30");
  EXPECT_EQ(EvalProgressText(state, kBegin + absl::Seconds(30), 8), "500/1000");
  EXPECT_FALSE(state.result.has_value());
}

TEST(EvalOutcome, WhatIsNoLineOfTheProgramsIsPassedOver) {
  EvalState state;
  TakeLine(kHalf, kBegin, &state);
  for (const char* line : {"", "[W] a library's", "{}", "{\"result\":{}}", "[1]", "\"stage\"",
                           "{\"stage\":1,\"examples\":2}"}) {
    TakeLine(line, kBegin, &state);
  }
  EXPECT_EQ(state.progress.done, 500U);
  EXPECT_FALSE(state.result.has_value());
}

TEST(EvalOutcome, TheResultIsShownWhole) {
  EvalState state;
  TakeLine(kResult, kBegin, &state);
  ASSERT_TRUE(state.result.has_value());
  const auto json = nlohmann::json::parse(EvalJson(*state.result));
  EXPECT_EQ(json["version"], 7);
  EXPECT_EQ(json["robust_accuracy"], 0.25);
  EXPECT_EQ(json["attacks"]["APGD-CE"], 0.5);
  EXPECT_EQ(json["corruption_accuracy"], 0.5);
  EXPECT_EQ(json["warnings"][0], "masked");
  Job job;
  job.evaluation.suite = EvaluationSuite::kStandard;
  job.evaluation.epsilon = 8.0F / 255;
  EXPECT_THAT(EvalText(*state.result, job),
              AllOf(HasSubstr("0.2500  (STANDARD, epsilon 8/255)"), HasSubstr("1:01"),
                    HasSubstr("APGD-CE"), HasSubstr("fog"), HasSubstr("warning: masked")));
}

class SubjectTest : public testing::Test {
 protected:
  absl::StatusOr<Subject> Prepare(const std::vector<std::string>& arguments) {
    const Command command = EvalCommand();
    const absl::StatusOr<FlagValues> flags = ParseFlags(command.flags, arguments);
    EXPECT_TRUE(flags.ok()) << flags.status();
    return PrepareSubject(*flags, directory_ / "work");
  }
  std::string Refusal(const std::vector<std::string>& arguments) {
    return std::string(Prepare(arguments).status().message());
  }

  const TempDir directory_;
};

TEST_F(SubjectTest, TheJobIsTheOneBesideTheWeights) {
  const std::string weights = "--weights=" + (directory_ / "run/weights.safetensors");
  EXPECT_THAT(Refusal({weights}), HasSubstr("there is no"));
  WriteFile(directory_ / "run/weights.safetensors", "");
  EXPECT_THAT(Refusal({weights}), HasSubstr("give the job that they were trained with"));
  WriteFile(
      directory_ / "run/job.textproto",
      "name: \"mine\" model { builtin: \"mlp\" } dataset { path: \"data\" } optimizer { sgd {} }");
  WriteFile(directory_ / "work/present", "");
  const Subject subject =
      Prepare({weights, "--set", "evaluation.suite=STANDARD", "--data_dir=elsewhere"}).value();
  EXPECT_EQ(subject.job.name, "mine");
  EXPECT_EQ(subject.job.dataset.path, "elsewhere");
  EXPECT_EQ(subject.job.evaluation.suite, EvaluationSuite::kStandard);
  EXPECT_THAT(ReadFile(subject.job_path), HasSubstr("STANDARD"));
  EXPECT_EQ(subject.weights_path, directory_ / "run/weights.safetensors");
}

TEST_F(SubjectTest, AModelTakesThePlaceOfTheJobs) {
  WriteFile(directory_ / "job.textproto", "dataset { path: \"data\" } optimizer { sgd {} }");
  WriteFile(directory_ / "work/present", "");
  const Subject subject =
      Prepare({"--model=m.pt", "--job=" + (directory_ / "job.textproto")}).value();
  EXPECT_EQ(subject.job.model.torchscript, "m.pt");
  EXPECT_EQ(subject.weights_path, "");
}

TEST_F(SubjectTest, FlagsThatDoNotGoTogetherAreRefused) {
  EXPECT_THAT(Refusal({}), HasSubstr("give one of --weights=FILE"));
  EXPECT_THAT(Refusal({"--weights=a", "--server=b:1"}), HasSubstr("give one of"));
  EXPECT_THAT(Refusal({"--model=a"}), HasSubstr("--model needs --job"));
  EXPECT_THAT(Refusal({"--server=b:1", "--job=a"}), HasSubstr("does not go with --server"));
  EXPECT_THAT(Refusal({"--server=b:1", "--lag=1", "--version=2"}), HasSubstr("exclude each other"));
  EXPECT_THAT(Refusal({"--weights=a", "--lag=1"}), HasSubstr("--lag needs --server"));
}

}  // namespace
}  // namespace conadv
