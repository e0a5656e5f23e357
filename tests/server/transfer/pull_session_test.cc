// SPDX-License-Identifier: Apache-2.0
#include "server/transfer/pull_session.h"

#include <gtest/gtest.h>

#include <optional>

#include "tests/server/transfer/transfer_fixture.h"

namespace conadv {
namespace {

using PullTest = TransferTest;

TEST_F(PullTest, ThePartsAreTheSnapshotsOwnMemory) {
  Begin();
  PullSession session(&shard_, kProcess);
  std::optional<absl::Status> ready;
  session.Start(
      {PullSelector::Latest(), 0, kLineage},
      [&ready](const absl::Status& status) { ready = status; }, [] {});
  ASSERT_TRUE(ready.has_value());
  ASSERT_TRUE(ready->ok()) << *ready;
  const PullSession::Part part = session.Next();
  EXPECT_TRUE(part.last);
  EXPECT_EQ(part.size, 48U);
  EXPECT_EQ(session.weights(), shard_.snapshots().Latest()->weights) << "not a copy";
  const auto header = ParsePullHeader(part.header);
  ASSERT_TRUE(header.ok());
  EXPECT_EQ(header->version, Version(0));
  EXPECT_EQ(header->incarnation, kProcess);
  EXPECT_EQ(header->lineage, kLineage);
  session.End();
  EXPECT_EQ(shard_.snapshots().versions_read(), 0U);
}

TEST_F(PullTest, PartsOfBfloat16AreSoInTheHeaderAndTwiceAsLong) {
  Begin();
  PullSession session(&shard_, kProcess);
  session.Start(
      {PullSelector::Latest().As(ElementType::kBfloat16), 0, kLineage},
      [](const absl::Status& status) { ASSERT_TRUE(status.ok()) << status; }, [] {});
  EXPECT_EQ(session.type(), ElementType::kBfloat16);
  const PullSession::Part part = session.Next();
  EXPECT_EQ(part.size, 48U);
  EXPECT_EQ(ParsePullHeader(part.header)->type, ElementType::kBfloat16);
}

TEST_F(PullTest, AVersionIsWaitedForAndTheWaitCanBeGivenUp) {
  Begin();
  PullSession waits(&shard_, kProcess);
  PullSession given_up(&shard_, kProcess);
  int ready = 0;
  int never = 0;
  waits.Start(
      {PullSelector::Exactly(Version(1)), 0, kLineage},
      [&ready](const absl::Status& status) { ready += status.ok() ? 1 : 0; }, [] {});
  given_up.Start(
      {PullSelector::Exactly(Version(1)), 0, kLineage}, [&never](const absl::Status&) { ++never; },
      [] {});
  EXPECT_EQ(ready, 0);
  EXPECT_TRUE(given_up.Cancel());
  ASSERT_TRUE(PushStep(0).ok());
  EXPECT_EQ(ready, 1);
  EXPECT_EQ(never, 0);
  EXPECT_FALSE(waits.Cancel());
}

TEST_F(PullTest, OtherLineagesAndLayoutsAreRefused) {
  Begin();
  const auto answer = [this](const PullQuery& query) {
    PullSession session(&shard_, kProcess);
    absl::Status answered;
    session.Start(
        query, [&answered](const absl::Status& status) { answered = status; }, [] {});
    return answered;
  };
  EXPECT_TRUE(absl::IsAborted(answer({PullSelector::Latest(), 0, Lineage(6)})));
  EXPECT_TRUE(absl::IsInvalidArgument(answer({PullSelector::Latest(), 1, kLineage})));
  EXPECT_TRUE(absl::IsOutOfRange(answer({PullSelector::Exactly(Version(9)), 0, kLineage})));
}

TEST_F(PullTest, AnAverageIsRefusedWhereTheJobKeepsNone) {
  Begin();
  PullSession session(&shard_, kProcess);
  absl::Status answered;
  // Of a version that is not there yet: it would wait in vain.
  session.Start(
      {PullSelector::Exactly(Version(1)).Averaged(true), 0, kLineage},
      [&answered](const absl::Status& status) { answered = status; }, [] {});
  EXPECT_TRUE(absl::IsFailedPrecondition(answered)) << answered;
}

class AveragedPullTest : public TransferTest {
 protected:
  AveragedPullTest() : TransferTest(AveragedJob()) {}
  static Job AveragedJob() {
    Job job = SomeJob();
    job.optimizer.average = AverageOptions{0.75F, false};
    return job;
  }
};

TEST_F(AveragedPullTest, TheAverageOfAVersionIsItsOwnAndTheWeightsStayWhatTheyAre) {
  Begin();
  ASSERT_TRUE(PushStep(0).ok());
  ASSERT_TRUE(PushStep(1).ok());
  const auto pulled = [this](const PullSelector& selector) {
    PullSession session(&shard_, kProcess);
    absl::Status answered = absl::UnknownError("not answered");
    session.Start(
        {selector, 0, kLineage}, [&answered](const absl::Status& status) { answered = status; },
        [] {});
    EXPECT_TRUE(answered.ok()) << answered;
    return session.weights()->data()[7];
  };
  // The initial weights are 0.5, and so is every gradient; the rate is 1 and momentum 0.
  const PullSelector one = PullSelector::Exactly(Version(1));
  const PullSelector two = PullSelector::Latest();
  EXPECT_FLOAT_EQ(pulled(one), 0);
  EXPECT_FLOAT_EQ(pulled(two), -0.5F);
  EXPECT_FLOAT_EQ(pulled(one.Averaged(true)), 0.75F * 0.5F);
  EXPECT_FLOAT_EQ(pulled(two.Averaged(true)), 0.75F * 0.75F * 0.5F - 0.25F * 0.5F);
}

}  // namespace
}  // namespace conadv
