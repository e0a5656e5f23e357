// SPDX-License-Identifier: Apache-2.0
#include "server/coordinate/coordinator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

namespace conadv {
namespace {

using ::testing::HasSubstr;

class FakeClock final : public Clock {
 public:
  absl::Time Now() const override { return now; }
  absl::Time WallNow() const override { return now; }
  absl::Time now = absl::UnixEpoch();
};

// What a member was told.
class FakeMember final : public MemberSink {
 public:
  void Send(const MemberMessage& message) override {
    if (std::holds_alternative<OfferMessage>(message)) ++offers;
    if (std::holds_alternative<FinishedMessage>(message)) ++finished;
    if (const auto* evaluate = std::get_if<EvaluateMessage>(&message))
      evaluations.push_back(*evaluate);
    if (const auto* grant = std::get_if<GrantMessage>(&message)) {
      units.insert(units.end(), grant->units.begin(), grant->units.end());
    }
  }
  void Close(const absl::Status& status) override { closed = status; }

  int offers = 0;
  int finished = 0;
  std::vector<Unit> units;
  std::vector<EvaluateMessage> evaluations;
  absl::Status closed;
};

Plan SomePlan() {
  Plan plan;
  plan.tensors = {{"weight", {4, 4}}, {"bias", {4}, TensorKind::kNoDecay}};
  plan.examples = 64;
  plan.steps = 4;
  plan.data_fingerprint = 42;
  return plan;
}

class CoordinatorTest : public ::testing::Test {
 protected:
  void Make(uint32_t shards = 1) {
    CoordinatorOptions options;
    options.job.training.global_batch = 16;
    options.job.training.slots = 2;
    options.job.training.steps = 4;
    options.job.training.tau = 1;
    options.job.server.lease = absl::Seconds(10);
    options.job.evaluation.every = 2;
    options.job.evaluation.attack_steps = 1;
    options.shards = shards;
    options.evaluator_patience = absl::Seconds(60);
    coordinator_ = std::make_unique<Coordinator>(options, &clock_);
    coordinator_->SetAddress("127.0.0.1:1");
  }
  absl::StatusOr<MemberId> Join(Role role, FakeMember* member, uint32_t shard = 0) {
    HelloMessage hello;
    hello.role = role;
    hello.name = "member";
    hello.incarnation = Incarnation(next_incarnation_++);
    hello.shard = shard;
    hello.address = "127.0.0.1:2";
    if (role == Role::kWorker) hello.plan = SomePlan();
    return coordinator_->Join(hello, member);
  }
  void Finish(MemberId id, FakeMember& member) {
    while (!member.units.empty()) {
      coordinator_->OnDone(id, std::exchange(member.units, {}));
    }
  }

  FakeClock clock_;
  uint64_t next_incarnation_ = 1;
  std::unique_ptr<Coordinator> coordinator_;
};

TEST_F(CoordinatorTest, NothingBeginsBeforeEveryShardHasJoined) {
  Make(2);
  FakeMember worker;
  FakeMember shard;
  ASSERT_TRUE(Join(Role::kWorker, &worker).ok());
  EXPECT_EQ(worker.offers, 0);
  EXPECT_THAT(std::string(coordinator_->Servers().status().message()), HasSubstr("shards 1"));
  ASSERT_TRUE(Join(Role::kShard, &shard, 1).ok());
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
  clock_.now += absl::Seconds(9);
  coordinator_->OnHeartbeat(alive_id);
  coordinator_->Tick();
  EXPECT_TRUE(silent.closed.ok());
  clock_.now += absl::Seconds(2);
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
  const MemberId shard_id = *Join(Role::kShard, &shard, 1);
  const MemberId worker_id = *Join(Role::kWorker, &worker);
  const MemberId evaluator_id = *Join(Role::kEvaluator, &evaluator);
  const MemberId observer_id = *Join(Role::kObserver, &observer);
  coordinator_->OnOffered(worker_id);
  coordinator_->OnPublished(Version(2));
  ASSERT_EQ(evaluator.evaluations.size(), 1U);
  EXPECT_FALSE(evaluator.evaluations[0].robust);
  Finish(worker_id, worker);
  EXPECT_EQ(worker.finished, 1);
  coordinator_->OnGone(worker_id);
  EXPECT_EQ(observer.finished, 0);

  EXPECT_FALSE(coordinator_->OnEvaluated(EvaluationResult()).ok()) << "no examples";
  EvaluationResult result{Version(2), 10, 0.8, 0.1, std::nullopt, 1, false};
  EXPECT_TRUE(coordinator_->OnEvaluated(result).ok());
  ASSERT_EQ(evaluator.evaluations.size(), 2U);
  EXPECT_EQ(evaluator.evaluations[1].version, Version(4));
  EXPECT_TRUE(evaluator.evaluations[1].robust);
  result = {Version(4), 10, 0.9, 0.1, 0.7, 1, true};
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
  Make();
  FakeMember worker;
  const MemberId id = *Join(Role::kWorker, &worker);
  coordinator_->OnOffered(id);
  Finish(id, worker);
  coordinator_->OnGone(id);
  EXPECT_TRUE(absl::IsDeadlineExceeded(coordinator_->WaitUntilOver(absl::ZeroDuration())));
  clock_.now += absl::Seconds(61);
  coordinator_->Tick();
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

TEST_F(CoordinatorTest, AShardThatIsLostStopsTheRunAndCannotComeBackEmpty) {
  Make(2);
  FakeMember worker;
  FakeMember shard;
  const MemberId shard_id = *Join(Role::kShard, &shard, 1);
  const MemberId worker_id = *Join(Role::kWorker, &worker);
  coordinator_->OnOffered(worker_id);
  coordinator_->OnGone(shard_id);
  EXPECT_THAT(std::string(worker.closed.message()), HasSubstr("shard 1"));
  FakeMember again;
  EXPECT_FALSE(Join(Role::kShard, &again, 1).ok());
  EXPECT_FALSE(coordinator_->WaitUntilOver(absl::ZeroDuration()).ok());
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
  Make();
  FakeMember worker;
  const MemberId id = *Join(Role::kWorker, &worker);
  coordinator_->OnOffered(id);
  Finish(id, worker);
  FakeMember late;
  ASSERT_TRUE(Join(Role::kWorker, &late).ok());
  EXPECT_EQ(late.finished, 1);
  EXPECT_TRUE(late.units.empty());
}

}  // namespace
}  // namespace conadv
