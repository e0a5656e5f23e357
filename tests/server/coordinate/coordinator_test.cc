// SPDX-License-Identifier: Apache-2.0
#include "server/coordinate/coordinator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "tests/server/coordinate/coordinator_fixture.h"

namespace conadv {
namespace {

using ::testing::HasSubstr;

TEST_F(CoordinatorTest, NothingBeginsBeforeEveryShardHasJoined) {
  Make(2);
  FakeMember worker;
  FakeMember shard;
  ASSERT_TRUE(Join(Role::kWorker, &worker).ok());
  EXPECT_EQ(worker.offers, 0);
  EXPECT_THAT(std::string(coordinator_->Servers().status().message()), HasSubstr("shards 1"));
  JoinFresh(&shard);
  EXPECT_EQ(worker.offers, 1);
  EXPECT_EQ(coordinator_->Servers()->size(), 2U);
}

TEST_F(CoordinatorTest, WhenTheOfferingWorkerDiesAnotherIsAsked) {
  Make();
  FakeMember first;
  FakeMember second;
  const MemberId id = *Join(Role::kWorker, &first);
  ASSERT_TRUE(Join(Role::kWorker, &second).ok());
  EXPECT_EQ(first.offers + second.offers, 1);
  coordinator_->OnGone(id);
  EXPECT_EQ(second.offers, 1);
}

TEST_F(CoordinatorTest, AWorkerWithOtherDataIsRefusedWithBothFingerprints) {
  Make();
  FakeMember first;
  ASSERT_TRUE(Join(Role::kWorker, &first).ok());
  HelloMessage other;
  other.name = "other";
  other.plan = SomePlan();
  other.plan->data_fingerprint = 43;
  FakeMember second;
  const absl::Status status = coordinator_->Join(other, &second).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
}

TEST_F(CoordinatorTest, MoreShardsThanTensorsAreRefusedInWords) {
  Make(3);
  FakeMember worker;
  const absl::Status status = Join(Role::kWorker, &worker).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("3 shards for 2 tensors"));
}

TEST_F(CoordinatorTest, ASilentWorkersUnitsGoToAnotherAfterOneLease) {
  Make();
  FakeMember silent;
  FakeMember alive;
  const MemberId silent_id = *Join(Role::kWorker, &silent);
  coordinator_->OnOffered(silent_id);
  const std::vector<Unit> held = silent.units;
  ASSERT_FALSE(held.empty());
  const MemberId alive_id = *Join(Role::kWorker, &alive);
  for (int second = 0; second < 10; ++second) {
    clock_.now += absl::Seconds(1);
    coordinator_->OnHeartbeat(alive_id);
    coordinator_->Tick();
  }
  EXPECT_TRUE(silent.closed.ok());
  clock_.now += absl::Seconds(1);
  coordinator_->Tick();
  EXPECT_EQ(silent.closed.code(), absl::StatusCode::kDeadlineExceeded);
  for (const Unit& unit : held) {
    EXPECT_THAT(alive.units, ::testing::Contains(unit));
  }
}

TEST_F(CoordinatorTest, TheRunEndsWhenAllIsDoneEvaluatedAndEveryoneHasLeft) {
  Make(2);
  FakeMember worker;
  FakeMember evaluator;
  FakeMember observer;
  FakeMember shard;
  const MemberId shard_id = JoinFresh(&shard);
  const MemberId worker_id = *Join(Role::kWorker, &worker);
  const MemberId evaluator_id = *Join(Role::kEvaluator, &evaluator);
  const MemberId observer_id = *Join(Role::kObserver, &observer);
  coordinator_->OnOffered(worker_id);
  coordinator_->OnPublished(Version(2));
  ASSERT_EQ(evaluator.evaluations.size(), 1U);
  EXPECT_FALSE(evaluator.evaluations[0].robust);
  Finish(worker_id, worker);
  EXPECT_EQ(worker.finished, 0) << "the last version is not on every disk yet";
  Written(4, {local_id_, shard_id});
  EXPECT_EQ(worker.finished, 1);
  coordinator_->OnGone(worker_id);
  EXPECT_EQ(observer.finished, 0);

  EXPECT_FALSE(coordinator_->OnEvaluated(EvaluationResult()).ok()) << "no examples";
  EvaluationResult result{Version(2), 10, 0.8, 0.1, std::nullopt, 1, false, {}, {}, {}, {}};
  EXPECT_TRUE(coordinator_->OnEvaluated(result).ok());
  ASSERT_EQ(evaluator.evaluations.size(), 2U);
  EXPECT_EQ(evaluator.evaluations[1].version, Version(4));
  EXPECT_TRUE(evaluator.evaluations[1].robust);
  coordinator_->OnPublished(Version(4));
  result = {Version(4), 10, 0.9, 0.1, 0.7, 1, true, {}, {}, {}, {}};
  EXPECT_TRUE(coordinator_->OnEvaluated(result).ok());
  EXPECT_EQ(observer.finished, 1);
  EXPECT_EQ(shard.finished, 0) << "someone may still read the final weights";
  coordinator_->OnGone(evaluator_id);
  coordinator_->OnGone(observer_id);
  EXPECT_EQ(shard.finished, 1);
  coordinator_->OnGone(shard_id);
  EXPECT_TRUE(coordinator_->WaitUntilOver(absl::ZeroDuration()).ok());
}

TEST_F(CoordinatorTest, WithoutAnEvaluatorTheRunEndsWhenPatienceDoes) {
  TrainToTheEnd();
  EXPECT_TRUE(absl::IsDeadlineExceeded(coordinator_->WaitUntilOver(absl::ZeroDuration())));
  clock_.now += absl::Seconds(61);
  coordinator_->Tick();
  EXPECT_TRUE(coordinator_->WaitUntilOver(absl::ZeroDuration()).ok());
}

TEST_F(CoordinatorTest, EvaluatorsThatCrashInTheLastEvaluationDoNotHoldTheRun) {
  TrainToTheEnd();
  for (int evaluators = 0; evaluators < 6; ++evaluators) {
    FakeMember evaluator;
    const MemberId evaluator_id = *Join(Role::kEvaluator, &evaluator);
    ASSERT_EQ(evaluator.evaluations.size(), 1U);
    coordinator_->OnGone(evaluator_id);
  }
  EXPECT_TRUE(coordinator_->WaitUntilOver(absl::ZeroDuration()).ok());
  EXPECT_THAT(coordinator_->Read().warning, ::testing::HasSubstr("evaluators were lost in it"));
}

TEST_F(CoordinatorTest, EvaluatorsThatHangDoNotHoldTheRun) {
  TrainToTheEnd();
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(coordinator_->Read().phase, Phase::kEvaluating);
    FakeMember evaluator;
    const MemberId evaluator_id = *Join(Role::kEvaluator, &evaluator);
    const auto pass = [&](int seconds, bool gets_on) {
      for (int second = 0; second < seconds; ++second) {
        clock_.now += absl::Seconds(1);
        coordinator_->OnHeartbeat(evaluator_id, gets_on ? second + 1 : 0);
        coordinator_->Tick();
      }
    };
    pass(500, /*gets_on=*/true);
    EXPECT_TRUE(evaluator.closed.ok()) << evaluator.closed << ": it is slow, but gets on";
    pass(130, /*gets_on=*/false);
    EXPECT_TRUE(absl::IsAborted(evaluator.closed)) << evaluator.closed;
  }
  EXPECT_THAT(coordinator_->Read().warning, HasSubstr("no final evaluation"));
  EXPECT_TRUE(coordinator_->WaitUntilOver(absl::ZeroDuration()).ok());
}

TEST_F(CoordinatorTest, AUnitThatFailsTwiceStopsTheRunWithItsReason) {
  Make();
  FakeMember worker;
  const MemberId id = *Join(Role::kWorker, &worker);
  coordinator_->OnOffered(id);
  const Unit unit = worker.units.front();
  worker.units.clear();
  coordinator_->OnFailed(id, unit, "tensor weight has the value nan");
  EXPECT_TRUE(coordinator_->health().ok());
  ASSERT_FALSE(worker.units.empty());
  EXPECT_EQ(worker.units.front(), unit);
  coordinator_->OnFailed(id, unit, "tensor weight has the value nan");
  EXPECT_THAT(std::string(worker.closed.message()), HasSubstr("tensor weight"));
  EXPECT_FALSE(coordinator_->WaitUntilOver(absl::ZeroDuration()).ok());
}

TEST_F(CoordinatorTest, AUnitThatFailedGoesToAnotherWorker) {
  Make();
  FakeMember bad;
  FakeMember good;
  const MemberId bad_id = *Join(Role::kWorker, &bad);
  ASSERT_TRUE(Join(Role::kWorker, &good).ok());
  coordinator_->OnOffered(bad_id);
  const Unit unit = bad.units.front();
  bad.units.clear();
  coordinator_->OnFailed(bad_id, unit, "broken memory");
  EXPECT_THAT(bad.units, ::testing::Not(::testing::Contains(unit)));
  EXPECT_THAT(good.units, ::testing::Contains(unit));
}

TEST_F(CoordinatorTest, AShardThatIsLostEndsTheLineageForEveryone) {
  Make(2);
  FakeMember worker;
  FakeMember shard;
  const MemberId shard_id = JoinFresh(&shard);
  const MemberId worker_id = *Join(Role::kWorker, &worker);
  coordinator_->OnOffered(worker_id);
  coordinator_->OnGone(shard_id);
  EXPECT_THAT(std::string(worker.closed.message()), HasSubstr("shard 1"));
  // They may all try again, with the next coordinator.
  EXPECT_TRUE(absl::IsUnavailable(worker.closed));
  FakeMember again;
  EXPECT_TRUE(absl::IsUnavailable(JoinShard(1, &again, {}).status()));
  EXPECT_TRUE(absl::IsUnavailable(coordinator_->WaitUntilOver(absl::ZeroDuration())));
}

TEST_F(CoordinatorTest, AWorkerThatLeftBeforeItOfferedBindsNobodyToItsPlan) {
  Make(2);  // shard 1 is not there: nobody has been asked to offer
  FakeMember first;
  const MemberId id = *Join(Role::kWorker, &first);
  coordinator_->OnGone(id);
  HelloMessage other;
  other.name = "other";
  other.plan = SomePlan();
  other.plan->data_fingerprint = 43;
  FakeMember second;
  EXPECT_TRUE(coordinator_->Join(other, &second).ok());
}

TEST_F(CoordinatorTest, AWorkerThatComesAfterTheEndIsSentHome) {
  FakeMember worker;
  Train(&worker);
  FakeMember late;
  ASSERT_TRUE(Join(Role::kWorker, &late).ok());
  EXPECT_EQ(late.finished, 1);
  EXPECT_TRUE(late.units.empty());
}

// Whoever came first had everything, and then twice as much of each step as the others, for ever.
TEST_F(CoordinatorTest, EveryWorkerHasItsPartOfEachStepHoweverTheyCame) {
  constexpr uint32_t kWorkers = 4;
  constexpr uint64_t kSteps = 16;
  CoordinatorOptions options = Options(1);
  options.job.training.slots = kWorkers;
  options.job.training.steps = kSteps;
  plan_.steps = kSteps;
  plan_.examples = 256;
  coordinator_ = std::make_unique<Coordinator>(options, &clock_);
  local_id_ = *JoinShard(0, &local_, {});
  coordinator_->OnRestored(local_id_, absl::OkStatus(), std::nullopt);
  std::vector<FakeMember> workers(kWorkers);
  std::vector<MemberId> ids;
  for (FakeMember& worker : workers) {
    ids.push_back(*Join(Role::kWorker, &worker));
    if (ids.size() == 1) coordinator_->OnOffered(ids[0]);
  }
  for (uint64_t step = 0; step < kSteps; ++step) {
    for (uint32_t i = 0; i < kWorkers; ++i) {
      std::vector<Unit>& held = workers[i].units;
      std::vector<Unit> done;
      for (const Unit& unit : held) {
        if (unit.step.value() == step) done.push_back(unit);
      }
      held.erase(std::remove_if(held.begin(), held.end(),
                                [step](const Unit& unit) { return unit.step.value() == step; }),
                 held.end());
      // The first steps were given away before the others came.
      if (step > options.job.training.tau + 1) {
        EXPECT_EQ(done.size(), 1U) << "step " << step << ", worker " << i;
      }
      coordinator_->OnDone(ids[i], done);
    }
  }
}

}  // namespace
}  // namespace conadv
