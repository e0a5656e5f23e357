// SPDX-License-Identifier: Apache-2.0
#include "cli/results/run_result.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace conadv {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(RunResult, TheJsonLineHasEveryFieldAndNullForWhatWasNotMeasured) {
  RunResult result;
  result.steps = 10;
  result.version = 40;
  result.clean_accuracy = 0.875;
  result.weights_crc32c = 0xabcdef;
  const std::string line = ResultJson(result, "out/a");
  EXPECT_THAT(line, Not(HasSubstr("\n")));
  const auto json = nlohmann::json::parse(line);
  EXPECT_EQ(json["steps"], 10);
  EXPECT_EQ(json["version"], 40);
  EXPECT_EQ(json["clean_accuracy"], 0.875);
  EXPECT_TRUE(json["robust_accuracy"].is_null());
  EXPECT_EQ(json["out"], "out/a");
  EXPECT_EQ(json["weights_crc32c"], "00abcdef");
  EXPECT_TRUE(json.contains("seconds") && json.contains("examples_per_second"));
  EXPECT_TRUE(json["attacks"].empty() && json["attacks"].is_object());
  EXPECT_TRUE(json["corruption_accuracy"].is_null());
}

TEST(RunResult, HasEachAttacksAndCorruptionsAccuracyAndEveryWarning) {
  RunResult result;
  result.evaluation.attacks = {{"APGD-CE", 0.5}, {"Square", 0.25}};
  result.evaluation.corruptions = {{"fog", 0.5}, {"snow", 0.75}};
  result.evaluation.warnings = {"masked\x1b gradients"};
  const auto json = nlohmann::json::parse(ResultJson(result, "out/a"));
  EXPECT_EQ(json["attacks"]["Square"], 0.25);
  EXPECT_EQ(json["corruptions"]["snow"], 0.75);
  EXPECT_EQ(json["corruption_accuracy"], 0.625);
  EXPECT_EQ(json["warnings"].size(), 1U);
  Job job;
  job.evaluation.suite = EvaluationSuite::kStandard;
  job.evaluation.norm = EvaluationNorm::kL2;
  job.evaluation.epsilon = 0.5F;
  result.robust_accuracy = 0.25;
  EXPECT_THAT(
      ResultText(result, job, "out/a"),
      AllOf(HasSubstr("0.2500  (STANDARD, L2, epsilon 0.5)"), HasSubstr("APGD-CE    0.5000"),
            HasSubstr("mean          0.6250"), HasSubstr("warning: masked\\x1b gradients\n")));
}

TEST(RunResult, TheTextSaysHowRobustnessWasMeasuredAndWhereThingsAre) {
  RunResult result;
  result.robust_accuracy = 0.7;
  Job job;
  job.evaluation.attack_steps = 5;
  job.evaluation.epsilon = 8.0F / 255;
  EXPECT_THAT(ResultText(result, job, "out/a"),
              AllOf(HasSubstr("0.7000  (PGD-5, epsilon 8/255)"), HasSubstr("not measured"),
                    HasSubstr("out/a/weights.safetensors"), HasSubstr("out/a/model.pt"),
                    HasSubstr("out/a/tensorboard")));
  result.model = false;
  EXPECT_THAT(ResultText(result, job, "out/a"), Not(HasSubstr("model.pt")));
}

}  // namespace
}  // namespace conadv
