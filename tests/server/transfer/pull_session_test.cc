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

}  // namespace
}  // namespace conadv
