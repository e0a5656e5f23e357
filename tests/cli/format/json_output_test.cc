// SPDX-License-Identifier: Apache-2.0
#include "cli/format/json_output.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>

#include "conadv/v1/inspector.pb.h"

namespace conadv {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(JsonOutput, NumbersAreNumbersAndDefaultsAreThere) {
  v1::StatusResponse status;
  status.set_version(uint64_t{1} << 60);
  status.set_phase(v1::StatusResponse::TRAINING);
  status.set_incarnation(0xabc);
  status.add_servers("a:1");
  const auto json = nlohmann::json::parse(JsonLine(ToJson(status)));
  EXPECT_EQ(json["version"], uint64_t{1} << 60);
  EXPECT_EQ(json["phase"], "TRAINING");
  EXPECT_EQ(json["incarnation"], "0000000000000abc");
  EXPECT_EQ(json["servers"][0], "a:1");
  EXPECT_EQ(json["step"], 0);
  EXPECT_EQ(json["checkpoint_error"], "");
  EXPECT_TRUE(json["last_evaluation"].is_null());
}

TEST(JsonOutput, OfAOneofOnlyWhatIsSet) {
  v1::MetricsRecord record;
  record.mutable_step()->set_clean_loss(0.25);
  const auto json = nlohmann::json::parse(JsonLine(ToJson(record)));
  EXPECT_EQ(json["step"]["clean_loss"], 0.25);
  EXPECT_FALSE(json.contains("evaluation"));
}

TEST(JsonOutput, WhatIsOptionalIsThereIfItIsSetAlsoToItsDefault) {
  v1::MetricsRecord::Step step;
  EXPECT_FALSE(ToJson(step).contains("attack_cosine"));
  step.set_attack_cosine(0);
  EXPECT_EQ(ToJson(step)["attack_cosine"], 0);
}

TEST(JsonOutput, WhatIsNotANumberIsNullAndWhatIsNotTextIsReplaced) {
  v1::StatusResponse status;
  status.set_clean_loss(std::numeric_limits<double>::quiet_NaN());
  EXPECT_TRUE(nlohmann::json::parse(JsonLine(ToJson(status)))["clean_loss"].is_null());
  EXPECT_THAT(JsonLine({{"name", "\xff"}}), Not(HasSubstr("\xff")));
}

}  // namespace
}  // namespace conadv
