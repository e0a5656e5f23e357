// SPDX-License-Identifier: Apache-2.0
#include "common/plan/tensor_rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace conadv {
namespace {

using ::testing::HasSubstr;

TensorRule Rule(const std::string& pattern) {
  TensorRule rule;
  rule.pattern = pattern;
  return rule;
}
TensorRule Frozen(const std::string& pattern) {
  TensorRule rule = Rule(pattern);
  rule.frozen = true;
  return rule;
}
TensorRule Decay(const std::string& pattern, float weight_decay) {
  TensorRule rule = Rule(pattern);
  rule.weight_decay = weight_decay;
  return rule;
}
TensorRule Ratio(const std::string& pattern, bool trust_ratio) {
  TensorRule rule = Rule(pattern);
  rule.trust_ratio = trust_ratio;
  return rule;
}

OptimizerOptions Lars(std::vector<TensorRule> rules) {
  OptimizerOptions options;
  options.rule = LarsOptions{0.001F, 0.9F, 0.5F};
  options.tensors = std::move(rules);
  return options;
}

const TensorSpec kWeight{"layer1.conv.weight", {4, 4}};
const TensorSpec kBias{"fc.bias", {4}, TensorKind::kNoDecay};
const TensorSpec kMean{"layer1.norm.running_mean", {4}, TensorKind::kStatistic, Branch::kMain};
const TensorSpec kScale{"layer1.norm.weight", {4}, TensorKind::kNoDecay, Branch::kMain};
const TensorSpec kTwin{
    "auxiliary.layer1.norm.weight", {4}, TensorKind::kNoDecay, Branch::kAuxiliary};

std::string ErrorOf(const std::vector<TensorRule>& rules) {
  const absl::Status status =
      CheckTensorRules(Lars(rules), std::vector<TensorSpec>{kWeight, kBias, kMean, kScale, kTwin});
  EXPECT_TRUE(status.ok() || absl::IsInvalidArgument(status)) << status;
  return std::string(status.message());
}

TEST(TensorPatterns, AStarIsAnyTextAndAQuestionMarkOneCharacter) {
  for (const char* pattern : {"*", "**", "layer1.conv.weight", "layer1.*", "*.weight", "l*v*t",
                              "layer?.conv.weight", "*onv.w*", "layer1.conv.weight*", "?*"}) {
    EXPECT_TRUE(MatchesPattern(pattern, kWeight.name)) << pattern;
  }
  for (const char* pattern :
       {"", "layer1", "conv", "*.bias", "layer1.conv.weight?", "layer??.conv.weight",
        "Layer1.conv.weight", "layer1.conv.weigh[t]", "*x*", "*.weight.*"}) {
    EXPECT_FALSE(MatchesPattern(pattern, kWeight.name)) << pattern;
  }
  EXPECT_TRUE(MatchesPattern("*", ""));
  EXPECT_TRUE(MatchesPattern("*aab", "aaaaab")) << "it goes back to its last star";
}

TEST(TensorRules, WithoutPatternsWeightsAloneDecayAndHaveARatio) {
  EXPECT_EQ(TreatmentOf(Lars({}), kWeight), (TensorTreatment{0.5F, true, false}));
  for (const TensorSpec& tensor : {kBias, kMean, kScale, kTwin}) {
    EXPECT_EQ(TreatmentOf(Lars({}), tensor), TensorTreatment()) << tensor.name;
  }
}

TEST(TensorRules, TheFirstThatMatchesHoldsInWhatItSets) {
  const OptimizerOptions options =
      Lars({Decay("*.bias", 0.1F), Ratio("*.bias", true), Ratio("layer1.conv.*", false),
            Frozen("*.norm.*"), Decay("*", 9)});
  EXPECT_EQ(TreatmentOf(options, kBias), (TensorTreatment{0.1F, false, false}));
  EXPECT_EQ(TreatmentOf(options, kWeight), (TensorTreatment{0.5F, false, false}));
  EXPECT_TRUE(TreatmentOf(options, kScale).frozen);
}

TEST(TensorRules, APatternThatSetsNothingKeepsLaterOnesOff) {
  const OptimizerOptions options = Lars({Rule("fc.*"), Frozen("*")});
  EXPECT_EQ(TreatmentOf(options, kBias), TensorTreatment());
  EXPECT_TRUE(TreatmentOf(options, kWeight).frozen);
}

TEST(TensorRules, ATwinGoesByItsMainTensorsName) {
  const OptimizerOptions options = Lars({Decay("layer1.norm.weight", 0.25F)});
  EXPECT_EQ(TreatmentOf(options, kTwin).weight_decay, 0.25F);
  EXPECT_EQ(TreatmentOf(options, kScale).weight_decay, 0.25F);
  // One that is only named like a twin is its own.
  TensorSpec own = kTwin;
  own.branch = Branch::kShared;
  EXPECT_EQ(TreatmentOf(options, own).weight_decay, 0);
}

TEST(TensorRules, StatisticsCanOnlyBeFrozen) {
  EXPECT_TRUE(TreatmentOf(Lars({Frozen("*")}), kMean).frozen);
  TensorRule both = Decay("*", 1);
  both.trust_ratio = true;
  EXPECT_EQ(TreatmentOf(Lars({both}), kMean), TensorTreatment());
}

TEST(TensorRules, APatternThatMatchesNothingIsAnErrorThatNamesTheNearestTensor) {
  EXPECT_EQ(ErrorOf({Frozen("*.norm.*"), Frozen("layr1.*.weight")}),
            "optimizer.tensors[1].pattern: \"layr1.*.weight\" matches no tensor of the model; "
            "the nearest is layer1.conv.weight");
  EXPECT_THAT(ErrorOf({Frozen("fc.bais")}), HasSubstr("the nearest is fc.bias"));
  EXPECT_THAT(ErrorOf({Frozen("auxiliary.layer1.norm.weight")}),
              HasSubstr("the nearest is layer1.norm.weight"));
}

TEST(TensorRules, APatternWithoutAnEffectIsAnError) {
  EXPECT_THAT(ErrorOf({Frozen("*.weight"), Decay("layer1.conv.weight", 0)}),
              HasSubstr("optimizer.tensors[1].pattern: \"layer1.conv.weight\" matches no tensor "
                        "that an earlier pattern does not match"));
  EXPECT_THAT(ErrorOf({Decay("*.running_mean", 0)}), HasSubstr("matches only statistics"));
  EXPECT_THAT(ErrorOf({Ratio("*.running_mean", true)}), HasSubstr("matches only statistics"));
  EXPECT_EQ(ErrorOf({Frozen("*.running_mean")}), "");
  EXPECT_EQ(ErrorOf({Frozen("*.weight"), Decay("*", 0)}), "");
}

TEST(TensorRules, AModelOfWhichNothingTrainsIsRefused) {
  EXPECT_THAT(ErrorOf({Frozen("*")}), HasSubstr("every parameter of the model is frozen"));
  EXPECT_EQ(ErrorOf({Rule("fc.*"), Frozen("*")}), "");
}

}  // namespace
}  // namespace conadv
