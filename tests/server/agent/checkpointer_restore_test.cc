// SPDX-License-Identifier: Apache-2.0
// That a run goes on from what was written to the same bits, and that nothing is lost on the way
// in.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/server/agent/checkpointer_fixture.h"

namespace conadv {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST_F(CheckpointerTest, ARunGoesOnFromACheckpointToTheSameBits) {
  std::vector<float> expected;
  std::vector<float> expected_average;
  {
    Life whole("", Consistency::kSync);
    whole.Begin();
    Steps(whole, 0, kSteps);
    expected = whole.Weights();
    expected_average = whole.Average();
    EXPECT_NE(expected_average, expected);
  }
  {
    Life first(directory_.path(), Consistency::kSync);
    first.Begin();
    first.checkpointer.Arm(Version(4), {});
    Steps(first, 0, 7);
    EXPECT_THAT(first.Complete(), ElementsAre(4, 0));
  }
  Life second(directory_.path(), Consistency::kSync);
  const auto ledger = second.Restore(4);
  ASSERT_TRUE(ledger.ok()) << ledger.status();
  EXPECT_EQ(ledger->prefix(), 4U);
  // τ = 2: the attacks of the steps to come need two versions before.
  EXPECT_EQ(second.shard.snapshots().retained()->oldest, Version(2));
  Steps(second, 4, kSteps);
  EXPECT_EQ(second.Weights(), expected);
  EXPECT_EQ(second.Average(), expected_average);
  EXPECT_THAT(second.Complete(), ElementsAre(10, 4, 0));
}

TEST_F(CheckpointerTest, WithoutSyncTheLedgerSaysWhichUnitsAreIn) {
  {
    Life first(directory_.path(), Consistency::kAsync);
    first.Begin();
    first.checkpointer.Arm(Version(3), {});
    ASSERT_TRUE(first.Push(0, 1, 0).ok());
    ASSERT_TRUE(first.Push(2, 0, 0).ok());
    ASSERT_TRUE(first.Push(0, 0, 0).ok());
    ASSERT_TRUE(first.Push(1, 0, 0).ok());
    first.checkpointer.Flush();
  }
  Life second(directory_.path(), Consistency::kAsync);
  const auto ledger = second.Restore(3);
  ASSERT_TRUE(ledger.ok()) << ledger.status();
  EXPECT_EQ(ledger->prefix(), 2U);
  EXPECT_THAT(ledger->ahead(), ElementsAre(4));
  EXPECT_TRUE(absl::IsAlreadyExists(second.Push(2, 0, 0))) << "it is in version 3";
  EXPECT_TRUE(second.Push(1, 0, 0).ok()) << "it was lost with version 4";
  EXPECT_EQ(second.shard.snapshots().Latest()->version, Version(4));
}

TEST_F(CheckpointerTest, ARestoreRemovesNothing) {
  {
    Life first(directory_.path(), Consistency::kSync);
    ASSERT_TRUE(first.Restore(std::nullopt).ok());
    first.Begin();
    first.checkpointer.Arm(Version(2), {});
    Steps(first, 0, 3);
    first.checkpointer.Arm(Version(4), {});
    Steps(first, 3, 5);
    EXPECT_THAT(first.Complete(), ElementsAre(4, 2, 0));
  }
  Life second(directory_.path(), Consistency::kSync);
  ASSERT_TRUE(second.Restore(2, Lineage(78)).ok());
  EXPECT_THAT(second.Complete(), ElementsAre(4, 2, 0));
  // Until it is made again and every shard has what is newer.
  second.checkpointer.Arm(Version(5), {Version(0), Version(2)});
  Steps(second, 2, 5);
  EXPECT_THAT(second.Complete(), ElementsAre(5, 4, 2, 0));
  second.checkpointer.Arm(Version(6), {Version(2), Version(5)});
  Steps(second, 5, 6);
  EXPECT_THAT(second.Complete(), ElementsAre(6, 5, 2, 0));
}

TEST_F(CheckpointerTest, ARunThatBeginsAnewSetsAsideWhatIsThere) {
  {
    Life first(directory_.path(), Consistency::kSync);
    ASSERT_TRUE(first.Restore(std::nullopt).ok());
    first.Begin();
    first.checkpointer.Arm(Version(2), {});
    Steps(first, 0, 3);
  }
  Life second(directory_.path(), Consistency::kSync);
  ASSERT_TRUE(second.Restore(std::nullopt, Lineage(78)).ok());
  const CheckpointReport report = second.checkpointer.Scan().value();
  ASSERT_EQ(report.usable.size(), 1U) << "initial weights are made again";
  ASSERT_EQ(report.refused.size(), 1U);
  EXPECT_EQ(report.refused[0].version, Version(2));
  EXPECT_THAT(report.refused[0].reason, HasSubstr("the run began anew"));
}

TEST_F(CheckpointerTest, ADamagedCheckpointIsSetAsideWithTheReasonAndTheOneBeforeIsLeft) {
  for (const char* file : {"weights.safetensors", "optimizer.safetensors"}) {
    {
      Life first(directory_.path(), Consistency::kSync);
      ASSERT_TRUE(first.Restore(std::nullopt).ok());
      first.Begin();
      first.checkpointer.Arm(Version(2), {});
      Steps(first, 0, 3);
    }
    Flip(2, file);
    Life second(directory_.path(), Consistency::kSync);
    const absl::Status status = second.Restore(2).status();
    EXPECT_TRUE(absl::IsDataLoss(status)) << file << ": " << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr(file));
    EXPECT_THAT(second.Complete(), ElementsAre(0));
    const CheckpointReport report = second.checkpointer.Scan().value();
    ASSERT_FALSE(report.refused.empty());
    EXPECT_THAT(report.refused[0].reason, HasSubstr(file));
  }
}

TEST_F(CheckpointerTest, AnotherRunsCheckpointOfTheVersionIsNotTaken) {
  const auto train = [this](Lineage lineage) {
    Life life(directory_.path(), Consistency::kAsync);
    EXPECT_TRUE(life.Restore(std::nullopt, lineage).ok());
    life.Begin();
    life.checkpointer.Arm(Version(2), {});
    EXPECT_TRUE(life.Push(0, 0, 0).ok());
    EXPECT_TRUE(life.Push(0, 1, 0).ok());
    life.checkpointer.Flush();
    return life.checkpointer.Scan()->usable.front();
  };
  const CheckpointId theirs = train(Lineage(1));
  const CheckpointId ours = train(Lineage(2));
  EXPECT_EQ(ours.version, theirs.version);
  Life second(directory_.path(), Consistency::kAsync);
  const absl::Status status = second.Restore({theirs, Lineage(3)}).status();
  EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
  EXPECT_THAT(second.Complete(), ElementsAre(2, 0));
  // Ours is taken, and what is not of our run is set aside then.
  {
    Life third(directory_.path(), Consistency::kAsync);
    ASSERT_TRUE(third.Restore(0, Lineage(4)).ok());
    EXPECT_THAT(third.Complete(), ElementsAre(2, 0));
  }
}

TEST_F(CheckpointerTest, CheckpointsOfAnotherJobAreRefusedAndKept) {
  const std::string job = "model { builtin: \"mlp\" } optimizer { sgd {} } training { steps: 10 ";
  {
    Life first(directory_.path(), Consistency::kSync, job + "tau: 1 }");
    first.Begin();
    first.checkpointer.Arm(Version(2), {});
    Steps(first, 0, 3);
    first.checkpointer.Flush();
  }
  {
    Life second(directory_.path(), Consistency::kSync, job + "tau: 2 }");
    const CheckpointReport report = second.checkpointer.Scan().value();
    EXPECT_TRUE(report.usable.empty());
    ASSERT_EQ(report.refused.size(), 2U);
    EXPECT_THAT(report.refused[0].reason, HasSubstr("training.tau: 1 -> 2"));
  }
  Life third(directory_.path(), Consistency::kSync, job + "tau: 1 }");
  EXPECT_THAT(third.Complete(), ElementsAre(2, 0));
}

TEST_F(CheckpointerTest, WhatComesWhileAVersionIsRestoredIsApplied) {
  {
    Life first(directory_.path(), Consistency::kAsync);
    first.Begin();
    first.checkpointer.Flush();
  }
  Life second(directory_.path(), Consistency::kAsync);
  second.observer.then = [&second] { EXPECT_TRUE(second.Push(0, 0, 0).ok()); };
  ASSERT_TRUE(second.Restore(0).ok());
  while (second.pool.RunOne()) {
  }
  EXPECT_EQ(second.shard.snapshots().Latest()->version, Version(1));
}

}  // namespace
}  // namespace conadv
