// SPDX-License-Identifier: Apache-2.0
// What operators want of a run, and members that are stopped.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <vector>

#include "tests/server/coordinate/coordinator_fixture.h"

namespace conadv {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

// A member that remembers what it was told by operators.
class ToldMember final : public MemberSink {
 public:
  void Send(const MemberMessage& message) override {
    if (const auto* grant = std::get_if<GrantMessage>(&message)) {
      units.insert(units.end(), grant->units.begin(), grant->units.end());
    }
    if (const auto* settings = std::get_if<SettingsMessage>(&message)) tau = settings->tau;
    if (const auto* checkpoint = std::get_if<CheckpointMessage>(&message)) {
      checkpoints.push_back(checkpoint->version);
    }
    if (std::holds_alternative<DrainMessage>(message)) ++drains;
    if (std::holds_alternative<SavedMessage>(message)) ++saved;
  }
  void Close(const absl::Status& status) override { closed = status; }

  std::vector<Unit> units;
  std::vector<Version> checkpoints;
  TauChanges tau;
  int drains = 0;
  int saved = 0;
  absl::Status closed;
};

class OperateTest : public CoordinatorTest {
 protected:
  // Two shards, 16 steps, room for τ up to 4; the worker has begun.
  OperateTest() {
    CoordinatorOptions options = Options(2);
    options.job.training.steps = 16;
    options.job.server.retain = 6;
    options.lineage = Lineage(7);
    plan_.steps = 16;
    plan_.examples = 256;
    Begin(options);
  }

  void Begin(const CoordinatorOptions& options) {
    coordinator_ = std::make_unique<Coordinator>(options, &clock_);
    local_id_ = *JoinShard(0, &local_, {});
    shard_id_ = *JoinShard(1, nullptr, &shard_);
    for (const MemberId id : {local_id_, shard_id_}) {
      coordinator_->OnRestored(id, absl::OkStatus(), std::nullopt);
    }
    worker_id_ = JoinWorker("first", &worker_);
    coordinator_->OnOffered(worker_id_);
    Written(0, {local_id_, shard_id_});
  }
  using CoordinatorTest::JoinShard;
  absl::StatusOr<MemberId> JoinShard(uint32_t shard, std::nullptr_t, MemberSink* sink) {
    HelloMessage hello;
    hello.role = Role::kShard;
    hello.shard = shard;
    hello.address = "127.0.0.1:2";
    return coordinator_->Join(hello, sink);
  }
  MemberId JoinWorker(const std::string& name, MemberSink* sink) {
    HelloMessage hello;
    hello.name = name;
    hello.plan = plan_;
    return *coordinator_->Join(hello, sink);
  }
  // The worker computes all that it has of a step, and both shards publish.
  void DoStep(uint64_t step) {
    std::vector<Unit> left;
    std::vector<Unit> done;
    for (const Unit& unit : std::exchange(worker_.units, {})) {
      (unit.step == conadv::Step(step) ? done : left).push_back(unit);
    }
    worker_.units = left;
    coordinator_->OnDone(worker_id_, done);
    coordinator_->OnPublished(Version(step + 1));
  }
  uint64_t LastStepGiven() const {
    uint64_t last = 0;
    for (const Unit& unit : worker_.units) last = std::max(last, unit.step.value());
    return last;
  }

  ToldMember shard_;
  ToldMember worker_;
  MemberId shard_id_;
  MemberId worker_id_;
};

TEST_F(OperateTest, ACheckpointIsAnsweredOnceEveryShardHasTheLatestVersion) {
  DoStep(0);
  std::optional<absl::StatusOr<Version>> answer;
  coordinator_->Checkpoint([&](const absl::StatusOr<Version>& saved) { answer = saved; });
  ASSERT_FALSE(shard_.checkpoints.empty());
  const Version asked = shard_.checkpoints.back();
  EXPECT_GE(asked, Version(1));
  Written(asked.value(), {local_id_});
  EXPECT_FALSE(answer.has_value()) << "one shard has it";
  Written(asked.value(), {shard_id_});
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(**answer, asked);
}

TEST_F(OperateTest, ACheckpointThatIsThereIsAnsweredAtOnceAndOneCanBeHadAgain) {
  std::optional<absl::StatusOr<Version>> answer;
  const auto ask = [&] {
    answer.reset();
    coordinator_->Checkpoint([&](const absl::StatusOr<Version>& saved) { answer = saved; });
  };
  ask();
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(**answer, Version(0));
  for (uint64_t step = 0; step < 4; ++step) {
    DoStep(step);
    ask();
    ASSERT_FALSE(answer.has_value());
    clock_.now += absl::Seconds(2);
    for (const MemberId id : {local_id_, shard_id_, worker_id_}) coordinator_->OnHeartbeat(id);
    coordinator_->Tick();  // nothing moves: as it is
    EXPECT_EQ(shard_.checkpoints.back(), Version(step + 1));
    Written(step + 1, {local_id_, shard_id_});
    ASSERT_TRUE(answer.has_value());
    EXPECT_EQ(**answer, Version(step + 1));
  }
}

TEST_F(OperateTest, ACheckpointThatCannotBeWrittenIsAnErrorThatSaysWhy) {
  DoStep(0);
  std::optional<absl::StatusOr<Version>> answer;
  coordinator_->Checkpoint([&](const absl::StatusOr<Version>& saved) { answer = saved; });
  const Version asked = shard_.checkpoints.back();
  Written(asked.value(), {local_id_});
  coordinator_->OnCheckpointed(shard_id_, {asked, "no space left", false, {}});
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(answer->status().code(), absl::StatusCode::kAborted);
  EXPECT_THAT(answer->status().message(),
              HasSubstr("shard 1 writes no checkpoints: no space left"));
}

TEST_F(OperateTest, WhoWaitsForACheckpointHearsThatTheRunHasGoneBack) {
  DoStep(0);
  std::optional<absl::StatusOr<Version>> answer;
  coordinator_->Checkpoint([&](const absl::StatusOr<Version>& saved) { answer = saved; });
  coordinator_->OnGone(shard_id_);
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(answer->status().code(), absl::StatusCode::kUnavailable);
}

TEST_F(OperateTest, AShardThatIsStoppedIsToldOnceTheLatestVersionIsSaved) {
  DoStep(0);
  const uint64_t begun = LastStepGiven();
  coordinator_->OnStopping(shard_id_);
  EXPECT_EQ(shard_.saved, 0);
  for (uint64_t step = 1; step <= begun; ++step) DoStep(step);
  EXPECT_THAT(worker_.units, IsEmpty()) << "no step is begun that nobody had begun";
  clock_.now += absl::Seconds(2);
  for (const MemberId id : {local_id_, shard_id_, worker_id_}) coordinator_->OnHeartbeat(id);
  coordinator_->Tick();
  Written(shard_.checkpoints.back().value(), {local_id_, shard_id_});  // asked for on the way
  EXPECT_EQ(shard_.saved, 0);
  const Version asked = shard_.checkpoints.back();
  EXPECT_EQ(asked, Version(begun + 1)) << "nothing that was published is lost";
  Written(asked.value(), {local_id_, shard_id_});
  EXPECT_EQ(shard_.saved, 1);
  EXPECT_TRUE(coordinator_->Save()) << "shard 0 may be stopped with it";
}

TEST_F(OperateTest, AShardThatIsStoppedDoesNotWaitForADiskThatIsFull) {
  DoStep(0);
  coordinator_->OnStopping(shard_id_);
  const Version asked = shard_.checkpoints.back();
  Written(asked.value(), {local_id_});
  coordinator_->OnCheckpointed(shard_id_, {asked, "no space left", false, {}});
  EXPECT_EQ(shard_.saved, 1);
}

TEST_F(OperateTest, ADrainedWorkerGetsNothingNewAndItsUnitsGoToOthersWhenItLeaves) {
  ToldMember other;
  const MemberId other_id = JoinWorker("second", &other);
  const auto drained = coordinator_->Drain("first");
  ASSERT_TRUE(drained.ok()) << drained.status();
  EXPECT_EQ(drained->id, worker_id_);
  EXPECT_GT(drained->units, 0U);
  EXPECT_EQ(drained->remaining, 1U);
  EXPECT_EQ(worker_.drains, 1);
  EXPECT_TRUE(coordinator_->Drain(std::to_string(worker_id_.value())).ok()) << "by its number too";
  EXPECT_EQ(worker_.drains, 1) << "once is enough";
  const std::vector<Unit> had = std::exchange(worker_.units, {});
  coordinator_->OnDone(worker_id_, {had.front()});
  EXPECT_THAT(worker_.units, IsEmpty());
  coordinator_->OnGone(worker_id_);
  std::vector<Unit> all;
  while (!other.units.empty()) {
    const std::vector<Unit> units = std::exchange(other.units, {});
    all.insert(all.end(), units.begin(), units.end());
    coordinator_->OnDone(other_id, units);
  }
  EXPECT_EQ(all.size(), 31U) << "32 units, of which the drained worker did one";
}

TEST_F(OperateTest, AWorkerThatIsNotThereIsAnErrorWithThoseWhoAre) {
  const absl::Status status = coordinator_->Drain("worker-9").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(status.message(), HasSubstr("there are first (3)"));
}

TEST_F(OperateTest, TauHoldsFromTheFirstStepThatNobodyHasBegunAndOnlyOnceItIsJournalled) {
  const uint64_t begun = LastStepGiven();
  const auto prepared = coordinator_->PrepareTau(3, std::nullopt);
  ASSERT_TRUE(prepared.ok()) << prepared.status();
  EXPECT_EQ(prepared->from, conadv::Step(begun + 1));
  EXPECT_EQ(prepared->before, 1U);
  EXPECT_EQ(prepared->record.run, Lineage(7));
  for (uint64_t step = 0; step <= begun; ++step) DoStep(step);
  EXPECT_THAT(worker_.units, IsEmpty()) << "what it changes waits for the journal";
  EXPECT_THAT(worker_.tau, IsEmpty());
  coordinator_->OnTauJournalled(true);
  EXPECT_EQ(worker_.tau, TauChanges({{prepared->from, 3}}));
  EXPECT_EQ(LastStepGiven(), begun + 5) << "attacks run ahead as far as the new τ wants it";
  EXPECT_EQ(coordinator_->Read().tau, worker_.tau);
}

TEST_F(OperateTest, WhatCouldNotBeJournalledChangesNothing) {
  ASSERT_TRUE(coordinator_->PrepareTau(3, std::nullopt).ok());
  coordinator_->OnTauJournalled(false);
  EXPECT_THAT(worker_.tau, IsEmpty());
  EXPECT_THAT(coordinator_->Read().tau, IsEmpty());
  EXPECT_TRUE(coordinator_->PrepareTau(2, std::nullopt).ok()) << "another may be tried";
}

TEST_F(OperateTest, ATauThatTheRunIsNotBuiltForOrThatComesTooLateIsRefusedInWords) {
  EXPECT_THAT(coordinator_->PrepareTau(5, std::nullopt).status().message(),
              HasSubstr("at most 4, got 5; a job with server.retain: 7 has room for it"));
  EXPECT_THAT(coordinator_->PrepareTau(2, conadv::Step(1)).status().message(),
              HasSubstr("the units of version 1 have been handed out"));
  EXPECT_THAT(coordinator_->PrepareTau(2, conadv::Step(16)).status().message(),
              HasSubstr("there is none to change"));
  ASSERT_TRUE(coordinator_->PrepareTau(2, conadv::Step(9)).ok());
  EXPECT_EQ(coordinator_->PrepareTau(3, std::nullopt).status().code(), absl::StatusCode::kAborted);
}

TEST_F(OperateTest, ARunThatGoesBackAndWhoJoinsLaterHaveWhatWasSet) {
  CoordinatorOptions options = Options(2);
  options.job.training.steps = 16;
  options.job.server.retain = 6;
  options.lineage = Lineage(7);
  options.settings = {Lineage(7), {{conadv::Step(5), 3}}};
  worker_ = {};
  Begin(options);
  EXPECT_EQ(worker_.tau, options.settings.tau);
  options.settings.run = Lineage(8);
  worker_ = {};
  Begin(options);
  EXPECT_THAT(worker_.tau, IsEmpty()) << "of another run";
}

}  // namespace
}  // namespace conadv
