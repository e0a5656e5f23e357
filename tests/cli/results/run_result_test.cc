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
}

}  // namespace
}  // namespace conadv
