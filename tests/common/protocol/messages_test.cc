// SPDX-License-Identifier: Apache-2.0
// What one side encodes the other side reads.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "common/job/streams.h"
#include "common/protocol/evaluation.h"
#include "common/protocol/pull_message.h"
#include "common/protocol/push_message.h"
#include "conadv/v1/coordinator.pb.h"
#include "conadv/v1/parameter_server.pb.h"
#include "tests/support/streams.h"

namespace conadv {
namespace {

using ::testing::HasSubstr;

TEST(PullQuery, ComesOutAsItWentIn) {
  for (const PullSelector& selector :
       {PullSelector::Exactly(Version(7)), PullSelector::Latest(), PullSelector::Lag(2),
        PullSelector::AtLeast(Version(9)), PullSelector::Latest().Averaged(true)}) {
    const auto read = ParsePullQuery(EncodePullQuery({selector, 11, Lineage(12)}));
    ASSERT_TRUE(read.ok()) << read.status();
    EXPECT_EQ(read->selector.kind, selector.kind);
    EXPECT_EQ(read->selector.value, selector.value);
    EXPECT_EQ(read->selector.averaged, selector.averaged);
    EXPECT_EQ(read->layout_hash, 11U);
    EXPECT_EQ(read->lineage, Lineage(12));
  }
}

TEST(PullQuery, OneThatSelectsNothingIsRefused) {
  const absl::Status status = ParsePullQuery("").status();
  EXPECT_TRUE(absl::IsInvalidArgument(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr("set one of version"));
  EXPECT_TRUE(absl::IsInvalidArgument(ParsePullQuery("\xff").status()));
}

TEST(PullHeader, ComesOutAsItWentIn) {
  const auto read =
      ParsePullHeader(EncodePullHeader({Version(3), Incarnation(4), 5, 6, Lineage(7)}));
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->version, Version(3));
  EXPECT_EQ(read->incarnation, Incarnation(4));
  EXPECT_EQ(read->size, 5U);
  EXPECT_EQ(read->layout_hash, 6U);
  EXPECT_EQ(read->lineage, Lineage(7));
}

TEST(PushHeader, AContributionComesOutAsItWentInWithItsOwnLineage) {
  Contribution contribution;
  contribution.unit = {Step(6), Slot(3)};
  contribution.stream = kAdversarialStream;
  contribution.update_version = Version(6);
  contribution.attack_version = Version(5);
  contribution.loss = 1.5F;
  contribution.accuracy = 0.25F;
  contribution.lineage = Lineage(44);
  const auto read = ParsePushHeader(EncodePushHeader({8, Lineage(9), "w", contribution}));
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->layout_hash, 8U);
  EXPECT_EQ(read->lineage, Lineage(44)) << "it may have been computed long ago";
  const auto& out = std::get<Contribution>(read->content);
  EXPECT_EQ(out.unit, contribution.unit);
  EXPECT_EQ(out.stream, kAdversarialStream);
  EXPECT_EQ(out.worker, "w");
  EXPECT_EQ(out.update_version, Version(6));
  EXPECT_EQ(out.attack_version, Version(5));
  EXPECT_EQ(out.loss, 1.5F);
  EXPECT_EQ(out.accuracy, 0.25F);
  EXPECT_EQ(out.lineage, Lineage(44));
  EXPECT_FALSE(out.attack_cosine.has_value());
  EXPECT_FALSE(out.attack_origins.has_value());
}

TEST(PushHeader, WhatIsKnownOfAnAttackTravelsAlsoIfItIsZero) {
  Contribution contribution;
  contribution.attack_cosine = 0;
  contribution.attack_origins = {2, 3};
  const auto read = ParsePushHeader(EncodePushHeader({8, Lineage(9), "w", contribution}));
  ASSERT_TRUE(read.ok()) << read.status();
  const auto& out = std::get<Contribution>(read->content);
  EXPECT_EQ(out.attack_cosine, 0.0F);
  EXPECT_EQ(out.attack_origins->lease, 2U);
  EXPECT_EQ(out.attack_origins->compute, 3U);
}

TEST(PushHeader, InitialWeightsAreOfTheCallersLineage) {
  auto plan = std::make_shared<Plan>();
  plan->tensors = {{"weight", {4}}};
  plan->examples = 8;
  plan->steps = 2;
  const auto read =
      ParsePushHeader(EncodePushHeader({8, Lineage(9), "w", std::shared_ptr<const Plan>(plan)}));
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->lineage, Lineage(9));
  EXPECT_TRUE(CheckSamePlan(*plan, *std::get<std::shared_ptr<const Plan>>(read->content)).ok());
}

TEST(PushHeader, AStreamThatNoRunCanHaveIsRefused) {
  v1::PushHeader header;
  header.mutable_contribution()->set_stream(kMostStreams);
  EXPECT_TRUE(absl::IsInvalidArgument(ParsePushHeader(header.SerializeAsString()).status()));
}

TEST(PushReply, ComesOutAsItWentIn) {
  const auto read =
      ParsePushReply(EncodePushReply({PushOutcome::kDuplicate, Version(5), Incarnation(6)}));
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->outcome, PushOutcome::kDuplicate);
  EXPECT_EQ(read->latest, Version(5));
  EXPECT_EQ(read->incarnation, Incarnation(6));
  EXPECT_FALSE(ParsePushReply("\xff").ok());
}

TEST(EvaluationResult, ComesOutAsItWentInWithAndWithoutTheAttack) {
  for (const std::optional<double> robust : {std::optional<double>(), std::optional<double>(0.5)}) {
    const EvaluationResult out = FromProto(ToProto(
        EvaluationResult{Version(3), 10, 0.75, 0.5, robust, 2, true, Lineage(4), {}, {}, {}}));
    EXPECT_EQ(out.version, Version(3));
    EXPECT_EQ(out.examples, 10U);
    EXPECT_EQ(out.clean_accuracy, 0.75);
    EXPECT_EQ(out.clean_loss, 0.5);
    EXPECT_EQ(out.robust_accuracy, robust);
    EXPECT_EQ(out.seconds, 2);
    EXPECT_TRUE(out.final);
    EXPECT_EQ(out.lineage, Lineage(4));
  }
  EvaluationResult in;
  in.attacks = {{"APGD-CE", 0.5}, {"Square", 0.25}};
  in.corruptions = {{"fog", 0.75}};
  in.warnings = {"one", "two"};
  const EvaluationResult out = FromProto(ToProto(in));
  EXPECT_EQ(out.attacks, in.attacks);
  EXPECT_EQ(out.corruptions, in.corruptions);
  EXPECT_EQ(out.warnings, in.warnings);
}

TEST(EvaluationResult, IsRefusedUnlessItCanBeOne) {
  EvaluationResult sound;
  sound.examples = 1;
  sound.attacks.resize(kMostAttacks, {std::string(kLongestAccuracyName, 'a'), 1});
  sound.corruptions.resize(kMostCorruptions, {"fog", 0});
  sound.warnings.resize(kMostEvaluationWarnings, std::string(kLongestEvaluationWarning, 'w'));
  EXPECT_TRUE(CheckEvaluation(sound).ok());
  const auto refused = [&](const std::function<void(EvaluationResult*)>& change) {
    EvaluationResult result = sound;
    change(&result);
    EXPECT_TRUE(absl::IsInvalidArgument(CheckEvaluation(result)));
  };
  refused([](EvaluationResult* r) { r->examples = 0; });
  refused([](EvaluationResult* r) { r->clean_accuracy = 1.5; });
  refused([](EvaluationResult* r) { r->robust_accuracy = std::nan(""); });
  refused([](EvaluationResult* r) { r->attacks.push_back({"one more", 0}); });
  refused([](EvaluationResult* r) { r->attacks[0].name += "a"; });
  refused([](EvaluationResult* r) { r->attacks[0].accuracy = std::nan(""); });
  refused([](EvaluationResult* r) { r->corruptions.push_back({"one more", 0}); });
  refused([](EvaluationResult* r) { r->corruptions[0].accuracy = -0.1; });
  refused([](EvaluationResult* r) { r->warnings.emplace_back("one more"); });
  refused([](EvaluationResult* r) { r->warnings[0] += "w"; });
}

}  // namespace
}  // namespace conadv
