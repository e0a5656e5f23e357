// SPDX-License-Identifier: Apache-2.0
// Shards go back to one version together, and write checkpoints of the same versions.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <initializer_list>
#include <limits>
#include <optional>
#include <vector>

#include "tests/server/coordinate/coordinator_fixture.h"

namespace conadv {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::vector<Version> Versions(std::initializer_list<uint64_t> values) {
  std::vector<Version> versions;
  for (const uint64_t value : values) versions.emplace_back(value);
  return versions;
}

class RestoreTest : public CoordinatorTest {
 protected:
  // Two shards with checkpoints 1, 2 and 1, 3.
  void MakeTwo() {
    MakeWith(2, Versions({0, 1, 2}));
    shard_id_ = *JoinShard(1, &shard_, Versions({0, 1, 3}));
  }
  RunState StateAt(uint64_t version) {
    return {Version(version), SomePlan(), UnitLedger(1, Step(version))};
  }
  void Restore(uint64_t version) {
    coordinator_->OnRestored(local_id_, absl::OkStatus(), StateAt(version));
    coordinator_->OnRestored(shard_id_, absl::OkStatus(), std::nullopt);
  }

  FakeMember shard_;
  MemberId shard_id_;
};

TEST_F(RestoreTest, EveryShardGoesBackToTheNewestVersionThatAllHave) {
  MakeTwo();
  EXPECT_THAT(local_.restores, ElementsAre(Version(1)));
  EXPECT_THAT(shard_.restores, ElementsAre(Version(1)));
}

TEST_F(RestoreTest, WithoutACommonCheckpointTheRunIsRefusedAndSaysWhatIsThere) {
  MakeWith(2, Versions({2}));
  shard_id_ = *JoinShard(1, &shard_, Versions({3}));
  EXPECT_THAT(shard_.restores, ElementsAre());
  EXPECT_TRUE(absl::IsAborted(coordinator_->health()));
  EXPECT_THAT(std::string(coordinator_->health().message()),
              AllOf(HasSubstr("shard 0 has version 2"), HasSubstr("shard 1 has version 3"),
                    HasSubstr("--begin_anew")));
  EXPECT_TRUE(absl::IsAborted(shard_.closed));
}

TEST_F(RestoreTest, WithInitialWeightsAtMostTheRunBeginsAnew) {
  MakeWith(2, Versions({0}));
  shard_id_ = *JoinShard(1, &shard_, {});
  EXPECT_THAT(shard_.restores, ElementsAre(std::nullopt));
  coordinator_->OnRestored(local_id_, absl::OkStatus(), std::nullopt);
  coordinator_->OnRestored(shard_id_, absl::OkStatus(), std::nullopt);
  FakeMember worker;
  ASSERT_TRUE(Join(Role::kWorker, &worker).ok());
  EXPECT_EQ(worker.offers, 1);
}

TEST_F(RestoreTest, WorkersGoOnWithTheStepOfTheRestoredVersionAndOfferNothing) {
  MakeTwo();
  FakeMember worker;
  ASSERT_TRUE(Join(Role::kWorker, &worker).ok());
  EXPECT_TRUE(worker.units.empty()) << "the shards are not ready";
  Restore(1);
  EXPECT_EQ(worker.offers, 0);
  ASSERT_FALSE(worker.units.empty());
  EXPECT_EQ(worker.units.front(), (Unit{Step(1), Slot(0)}));
}

TEST_F(RestoreTest, ADamagedCheckpointEndsTheLineageAndAnotherErrorTheRun) {
  MakeTwo();
  coordinator_->OnRestored(shard_id_, absl::DataLossError("bit flipped"), std::nullopt);
  EXPECT_TRUE(absl::IsUnavailable(coordinator_->health()));
  MakeTwo();
  coordinator_->OnRestored(shard_id_, absl::FailedPreconditionError("another job"), std::nullopt);
  EXPECT_TRUE(absl::IsAborted(coordinator_->health()));
  EXPECT_THAT(std::string(coordinator_->health().message()), HasSubstr("another job"));
}

TEST_F(RestoreTest, AWorkerWithAnotherPlanThanTheCheckpointsIsRefused) {
  MakeTwo();
  HelloMessage other;
  other.name = "other";
  other.plan = SomePlan();
  other.plan->data_fingerprint = 43;
  FakeMember early;
  ASSERT_TRUE(coordinator_->Join(other, &early).ok()) << "nothing is known yet";
  Restore(1);
  EXPECT_TRUE(absl::IsUnavailable(early.closed));
  FakeMember late;
  EXPECT_TRUE(absl::IsInvalidArgument(coordinator_->Join(other, &late).status()));
}

TEST_F(RestoreTest, ARunThatWasOverIsOverAgainWithoutWorkers) {
  MakeWith(1, Versions({0, 4}));
  coordinator_->OnRestored(local_id_, absl::OkStatus(), StateAt(4));
  clock_.now += absl::Seconds(61);  // for an evaluator that does not come
  coordinator_->Tick();
  EXPECT_TRUE(coordinator_->WaitUntilOver(absl::ZeroDuration()).ok());
}

TEST_F(RestoreTest, ShardZeroCannotJoinFromOutside) {
  Make();
  HelloMessage hello;
  hello.role = Role::kShard;
  hello.name = "server-0";
  hello.address = "127.0.0.1:9";
  FakeMember member;
  EXPECT_TRUE(absl::IsInvalidArgument(coordinator_->Join(hello, &member).status()));
}

TEST_F(RestoreTest, AShardThatFailsToWriteIsAWarningAndTrainingGoesOn) {
  Make(2);
  JoinFresh(&shard_);
  FakeMember worker;
  const MemberId id = *Join(Role::kWorker, &worker);
  coordinator_->OnOffered(id);
  coordinator_->OnCheckpointed(local_id_, {Version(0), "no space left", false, {}});
  EXPECT_THAT(coordinator_->Read().warning, HasSubstr("shard 0 writes no checkpoints: no space"));
  EXPECT_FALSE(worker.units.empty());
  coordinator_->OnCheckpointed(local_id_, {Version(2), "", false, {}});
  EXPECT_EQ(coordinator_->Read().warning, "");
}

TEST_F(RestoreTest, ADiskThatHangsHoldsTheEndOfTheRunOnlyForAWhile) {
  Make(2);
  shard_id_ = JoinFresh(&shard_);
  FakeMember worker;
  const MemberId id = *Join(Role::kWorker, &worker);
  coordinator_->OnOffered(id);
  Written(0, {local_id_, shard_id_});
  Finish(id, worker);
  Written(4, {local_id_});
  EXPECT_EQ(worker.finished, 0);
  EXPECT_EQ(coordinator_->Read().message, "writing the last checkpoint: waiting for shards 1");
  clock_.now += absl::Seconds(61);
  for (const MemberId alive : {id, shard_id_}) coordinator_->OnHeartbeat(alive);
  coordinator_->Tick();
  EXPECT_EQ(worker.finished, 1);
  EXPECT_THAT(coordinator_->Read().warning,
              HasSubstr("shard 1 has not written its last checkpoint: its disk hangs"));
}

TEST_F(RestoreTest, ARunThatIsStoppedSavesACheckpointJustAhead) {
  Make(1);
  EXPECT_TRUE(coordinator_->Save()) << "there is nothing to save yet";
  FakeMember worker;
  const MemberId id = *Join(Role::kWorker, &worker);
  coordinator_->OnOffered(id);
  Written(0, {local_id_});
  coordinator_->OnPublished(Version(1));
  EXPECT_FALSE(coordinator_->Save());
  ASSERT_FALSE(local_.checkpoints.empty());
  const uint64_t asked = local_.checkpoints.back();
  EXPECT_FALSE(coordinator_->Save());
  EXPECT_EQ(local_.checkpoints.back(), asked) << "once is enough";
  Written(asked, {local_id_});
  EXPECT_TRUE(coordinator_->Save());
}

TEST_F(RestoreTest, ARunThatStandsStillIsSavedAsItIs) {
  Make(1);
  FakeMember worker;
  const MemberId id = *Join(Role::kWorker, &worker);
  coordinator_->OnOffered(id);
  Written(0, {local_id_});
  coordinator_->OnPublished(Version(1));
  clock_.now += absl::Seconds(2);
  EXPECT_FALSE(coordinator_->Save());
  ASSERT_FALSE(local_.checkpoints.empty());
  EXPECT_EQ(local_.checkpoints.back(), 1U);
}

// Checkpoint schedules.

class ScheduleTest : public ::testing::Test {
 protected:
  void Answer(CheckpointSchedule& schedule, uint64_t version, bool missed = false) {
    for (uint32_t shard = 0; shard < 2; ++shard) {
      schedule.OnAnswer(shard, {Version(version), "", missed, absl::Seconds(1)});
    }
  }
  const absl::Time now_ = absl::UnixEpoch();
};

TEST_F(ScheduleTest, MultiplesInTurnAndNeverTheNextBeforeEveryShardHasAnswered) {
  CheckpointSchedule schedule({10, absl::Hours(1), 2, 2});
  schedule.Begin(Version(0), {}, Version(100), now_);
  EXPECT_FALSE(schedule.Next(Version(0), now_).has_value()) << "the initial version is not written";
  Answer(schedule, 0);
  EXPECT_EQ(schedule.Next(Version(0), now_), Version(10));
  schedule.OnAnswer(0, {Version(10), "", false, absl::ZeroDuration()});
  EXPECT_FALSE(schedule.Next(Version(12), now_).has_value());
  EXPECT_THAT(schedule.common(), ElementsAre(Version(0)));
  schedule.OnAnswer(1, {Version(10), "", false, absl::ZeroDuration()});
  EXPECT_THAT(schedule.common(), ElementsAre(Version(0), Version(10)));
  EXPECT_EQ(schedule.Next(Version(37), now_), Version(40));
}

TEST_F(ScheduleTest, WhatWasMissedIsAskedForFurtherAhead) {
  CheckpointSchedule schedule({0, absl::ZeroDuration(), 2, 2});
  schedule.Begin(Version(5), {Version(5)}, Version(100), now_);
  EXPECT_THAT(schedule.common(), ElementsAre(Version(5)));
  EXPECT_EQ(schedule.Next(Version(5), now_), Version(7));
  Answer(schedule, 7, /*missed=*/true);
  EXPECT_THAT(schedule.common(), ElementsAre(Version(5)));
  const Version next = *schedule.Next(Version(9), now_ + absl::Hours(1));
  EXPECT_GT(next, Version(11));
}

TEST_F(ScheduleTest, WhatOneShardCouldNotWriteIsNotCommon) {
  CheckpointSchedule schedule({10, absl::Hours(1), 2, 2});
  schedule.Begin(Version(20), {Version(0), Version(10), Version(20), Version(30)}, Version(100),
                 now_);
  EXPECT_THAT(schedule.common(), ElementsAre(Version(10), Version(20)));
  ASSERT_EQ(schedule.Next(Version(25), now_), Version(30));
  schedule.OnAnswer(0, {Version(30), "", false, absl::ZeroDuration()});
  schedule.OnAnswer(1, {Version(30), "disk full", false, absl::ZeroDuration()});
  EXPECT_THAT(schedule.common(), ElementsAre(Version(10), Version(20)));
}

TEST_F(ScheduleTest, ByTimeItTakesAtMostATwentieth) {
  CheckpointSchedule schedule({0, absl::Seconds(10), 2, 2});
  schedule.Begin(Version(1), {Version(1)}, Version(100), now_);
  EXPECT_FALSE(schedule.Next(Version(1), now_ + absl::Seconds(9)).has_value());
  EXPECT_EQ(schedule.Next(Version(1), now_ + absl::Seconds(10)), Version(3));
  Answer(schedule, 3);  // took a second
  EXPECT_FALSE(schedule.Next(Version(4), now_ + absl::Seconds(29)).has_value());
  EXPECT_TRUE(schedule.Next(Version(4), now_ + absl::Seconds(30)).has_value());
}

// "Never" is the largest number there is.
TEST_F(ScheduleTest, WhateverTheNumbersTheNextOneLiesAheadAndBeforeTheLast) {
  const uint64_t most = std::numeric_limits<uint64_t>::max();
  const std::vector<uint64_t> numbers = {0,        1,        2,        3,        1000,
                                         most / 2, most - 3, most - 2, most - 1, most};
  for (const uint64_t every : numbers) {
    for (const uint64_t last : numbers) {
      for (const uint64_t latest : numbers) {
        if (latest > last) continue;
        CheckpointSchedule schedule({every, absl::ZeroDuration(), 2, 2});
        schedule.Begin(Version(0), {Version(0)}, Version(last), now_);
        const std::optional<Version> next = schedule.Next(Version(latest), now_);
        if (!next.has_value()) continue;
        EXPECT_GT(next->value(), latest) << every << " of " << last;
        EXPECT_LT(next->value(), last) << every << " at " << latest;
        EXPECT_EQ(every > 0 ? next->value() % every : 0, 0U);
      }
    }
  }
}

TEST_F(ScheduleTest, ASaveIsOfTheLatestVersionIfNothingMoves) {
  CheckpointSchedule schedule({1000, absl::Hours(1), 2, 2});
  schedule.Begin(Version(0), {Version(0)}, Version(5000), now_);
  ASSERT_EQ(schedule.Next(Version(0), now_), Version(1000));
  EXPECT_EQ(schedule.Save(Version(10), /*moves=*/true, now_), Version(12));
  EXPECT_EQ(schedule.Save(Version(10), /*moves=*/false, now_), Version(10)) << "the workers left";
  EXPECT_FALSE(schedule.saved());
  Answer(schedule, 10);
  EXPECT_TRUE(schedule.saved());
  EXPECT_EQ(schedule.Save(Version(10), /*moves=*/false, now_), std::nullopt);
}

TEST_F(ScheduleTest, ASaveThatIsMissedIsAskedForFurtherAheadAndWhatIsBeingWrittenWillDo) {
  CheckpointSchedule schedule({0, absl::ZeroDuration(), 2, 2});
  schedule.Begin(Version(5), {Version(5)}, Version(100), now_);
  ASSERT_EQ(schedule.Next(Version(5), now_), Version(7));
  EXPECT_EQ(schedule.Save(Version(7), true, now_), std::nullopt) << "7 is being written";
  Answer(schedule, 7, /*missed=*/true);
  EXPECT_FALSE(schedule.saved());
  const Version next = *schedule.Save(Version(9), true, now_);
  EXPECT_GT(next, Version(11));
  Answer(schedule, next.value());
  EXPECT_TRUE(schedule.saved());
}

TEST_F(ScheduleTest, TheLastVersionIsAnsweredForByEveryShardUnasked) {
  CheckpointSchedule schedule({10, absl::Hours(1), 2, 2});
  schedule.Begin(Version(1), {Version(1)}, Version(12), now_);
  EXPECT_FALSE(schedule.Next(Version(9), now_).has_value());
  schedule.OnAnswer(0, {Version(12), "", false, {}});
  EXPECT_FALSE(schedule.last_answered());
  schedule.OnAnswer(1, {Version(12), "disk full", false, {}});
  EXPECT_TRUE(schedule.last_answered());
}

}  // namespace
}  // namespace conadv
