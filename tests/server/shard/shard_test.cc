// SPDX-License-Identifier: Apache-2.0
#include "server/shard/shard.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <future>
#include <limits>
#include <memory>
#include <optional>
#include <thread>

#include "tests/support/streams.h"

namespace conadv {
namespace {

using ::testing::HasSubstr;

class CountingObserver final : public ShardObserver {
 public:
  void OnPublished(const Publication& publication) override {
    if (publication.update == nullptr) {
      versions = publication.weights.version.value();
      return;
    }
    EXPECT_EQ(publication.update->version.value(), ++versions);
    EXPECT_EQ(publication.applied.closed(), versions);
    updates.push_back(*publication.update);
  }
  uint64_t versions = 0;
  std::vector<AppliedUpdate> updates;
};

Job SomeJob(Consistency consistency) {
  Job job;
  job.training.algorithm = Algorithm::kVanilla;
  job.training.consistency = consistency;
  job.training.global_batch = 8;
  job.training.slots = 2;
  job.training.clean_weight = 1;
  job.optimizer.rule = SgdOptions{};
  job.schedule.peak = 1;
  job.schedule.decay = ConstantDecay{};
  job.server.retain = 3;
  return job;
}

Plan SomePlan() {
  Plan plan;
  plan.tensors = {{"weight", {5, 4}}, {"bias", {4}, TensorKind::kNoDecay}};
  plan.examples = 64;
  plan.steps = 10;
  return plan;
}

// Zeros, which are there when it returns.
void Begin(Shard& shard, const Plan& plan, ThreadPool& pool) {
  const auto initial = shard.BeginInitialWeights(plan);
  ASSERT_TRUE(initial.ok()) << initial.status();
  initial->arena->Zero();
  std::promise<absl::Status> published;
  shard.FinishInitialWeights(*initial, [&published](const absl::StatusOr<PushOutcome>& outcome) {
    published.set_value(outcome.status());
  });
  while (pool.RunOne()) {
  }
  EXPECT_TRUE(published.get_future().get().ok());
}

class ShardTest : public ::testing::Test {
 protected:
  void Make(Consistency consistency = Consistency::kSync, uint32_t shard_id = 0,
            uint32_t shards = 1) {
    shard_ = std::make_unique<Shard>(SomeJob(consistency), shard_id, shards, &Clock::Real(), &pool_,
                                     &observer_);
    Begin(*shard_, SomePlan(), pool_);
  }
  Contribution Of(uint64_t step, uint64_t slot, uint64_t version) {
    Contribution contribution;
    contribution.unit = {Step(step), Slot(slot)};
    contribution.worker = "w";
    contribution.update_version = Version(version);
    return contribution;
  }
  // Pushes a gradient of one value and steps the pool.
  absl::StatusOr<PushOutcome> Push(const Contribution& contribution, float value) {
    auto admission = shard_->BeginPush(contribution, shard_->run()->layout.hash());
    if (!admission.ok()) return admission.status();
    if (admission->buffer == nullptr) return PushOutcome::kDuplicate;
    for (float& element : admission->buffer->span()) element = value;
    absl::StatusOr<PushOutcome> result = absl::UnknownError("not answered");
    shard_->FinishPush(contribution, *std::move(admission),
                       [&](absl::StatusOr<PushOutcome> outcome) { result = outcome; });
    while (pool_.RunOne()) {
    }
    return result;
  }
  float Weight() { return shard_->snapshots().Latest()->weights->data()[0]; }
  uint64_t Latest() { return shard_->snapshots().Latest()->version.value(); }

  ThreadPool pool_{0};
  CountingObserver observer_;
  std::unique_ptr<Shard> shard_;
};

TEST_F(ShardTest, AStepMovesTheWeightsByTheMeanGradientOnce) {
  Make();
  ASSERT_EQ(*Push(Of(0, 0, 0), 1), PushOutcome::kAccepted);
  EXPECT_EQ(Latest(), 0U);
  ASSERT_EQ(*Push(Of(0, 0, 0), 100), PushOutcome::kDuplicate);
  ASSERT_EQ(*Push(Of(0, 1, 0), 2), PushOutcome::kAccepted);
  EXPECT_EQ(Latest(), 1U);
  EXPECT_FLOAT_EQ(Weight(), -1.5F);
  ASSERT_EQ(*Push(Of(0, 1, 0), 100), PushOutcome::kDuplicate);
  EXPECT_FLOAT_EQ(Weight(), -1.5F);
}

TEST_F(ShardTest, AnAverageComesWithEveryVersionAndIsCountedInTheMemory) {
  Make();
  const uint64_t without = shard_->memory().limit_bytes;
  Job job = SomeJob(Consistency::kSync);
  job.optimizer.average = AverageOptions{0.5F, false};
  shard_ = std::make_unique<Shard>(job, 0, 1, &Clock::Real(), &pool_, &observer_);
  Begin(*shard_, SomePlan(), pool_);
  float expected = 0;
  for (uint64_t step = 0; step < 10; ++step) {
    for (uint64_t slot = 0; slot < 2; ++slot) ASSERT_TRUE(Push(Of(step, slot, step), 1).ok());
    expected = 0.5F * expected + 0.5F * Weight();
    EXPECT_FLOAT_EQ(shard_->snapshots().Latest()->average->data()[0], expected) << step;
    EXPECT_LE(shard_->memory().now_bytes, shard_->memory().limit_bytes);
  }
  const uint64_t arena = shard_->snapshots().Latest()->weights->bytes();
  // One for each of 3 retained versions, 4 that are read and one that is being made, and a
  // checkpoint's.
  EXPECT_EQ(shard_->memory().limit_bytes, without + (3 + 4 + 1 + 1) * arena);
  EXPECT_EQ(shard_->snapshots().List().back().bytes, 2 * arena);
}

TEST_F(ShardTest, APatternThatMatchesNothingIsRefusedWithThePlan) {
  Job job = SomeJob(Consistency::kSync);
  job.optimizer.tensors = {{"wieght", std::nullopt, std::nullopt, true}};
  Shard shard(job, 0, 1, &Clock::Real(), &pool_, &observer_);
  const absl::Status refused = shard.BeginInitialWeights(SomePlan()).status();
  EXPECT_TRUE(absl::IsInvalidArgument(refused));
  EXPECT_THAT(std::string(refused.message()), HasSubstr("the nearest is weight"));
}

TEST_F(ShardTest, PaddingStaysZeroWhateverPeersSend) {
  Make();
  for (uint64_t slot = 0; slot < 2; ++slot) ASSERT_TRUE(Push(Of(0, slot, 0), 3).ok());
  const Layout& layout = shard_->run()->layout;
  const absl::Span<const float> weights = shard_->snapshots().Latest()->weights->span();
  int padding = 0;
  for (size_t i = 0; i < weights.size(); ++i) {
    if (layout.Find(0, i) != nullptr) continue;
    ++padding;
    EXPECT_EQ(weights[i], 0.0F);
  }
  EXPECT_GT(padding, 0);
}

TEST_F(ShardTest, AGradientThatIsNotFiniteIsRefusedByNameAndChangesNothing) {
  Make();
  const auto status = Push(Of(0, 0, 0), std::numeric_limits<float>::quiet_NaN()).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("tensor weight"));
  ASSERT_EQ(*Push(Of(0, 0, 0), 1), PushOutcome::kAccepted);
  ASSERT_EQ(*Push(Of(0, 1, 0), 1), PushOutcome::kAccepted);
  EXPECT_FLOAT_EQ(Weight(), -1);
  EXPECT_EQ(shard_->staleness().Read().all.rejected, 1U);
}

TEST_F(ShardTest, AnotherLayoutIsRefused) {
  Make();
  EXPECT_EQ(shard_->BeginPush(Of(0, 0, 0), 12345).status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST_F(ShardTest, AStepThatHasNotBegunIsRefused) {
  Make();
  EXPECT_EQ(Push(Of(1, 0, 1), 1).status().code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(ShardTest, WithoutSyncEveryContributionIsAnUpdateAndItsStalenessIsMeasured) {
  Make(Consistency::kAsync);
  ASSERT_TRUE(Push(Of(0, 1, 0), 1).ok());
  ASSERT_TRUE(Push(Of(0, 0, 0), 1).ok());
  ASSERT_TRUE(Push(Of(1, 0, 2), 1).ok());
  EXPECT_EQ(Latest(), 3U);
  EXPECT_FLOAT_EQ(Weight(), -3);
  const StalenessBook::View view = shard_->staleness().Read();
  EXPECT_EQ(view.all.update.count(), 3U);
  EXPECT_EQ(view.all.update.sum(), 1U);
}

TEST_F(ShardTest, AFollowerAppliesInTheLeadersOrder) {
  Make(Consistency::kAsync, 1, 2);
  ASSERT_TRUE(Push(Of(0, 1, 0), 1).ok());
  EXPECT_EQ(Latest(), 0U) << "the leader has not said what comes first";
  EXPECT_TRUE(shard_->Follow({Step(0), Slot(0)}).ok());
  EXPECT_TRUE(shard_->Follow({Step(0), Slot(1)}).ok());
  while (pool_.RunOne()) {
  }
  EXPECT_EQ(Latest(), 0U);
  ASSERT_TRUE(Push(Of(0, 0, 0), 1).ok());
  EXPECT_EQ(Latest(), 2U);
  EXPECT_EQ(observer_.updates[0].unit, (Unit{Step(0), Slot(0)}));
  EXPECT_EQ(observer_.updates[1].unit, (Unit{Step(0), Slot(1)}));
}

TEST_F(ShardTest, TooManyContributionsAtOnceAreSentAwayAndMemoryStaysBounded) {
  Make();
  const ContributionRoom room = shard_->run()->room;
  std::vector<Shard::Admission> held;
  // Slot 1 has no right to more; slot 0, which the tree lacks first, has, but not without end.
  for (const auto& [slot, most] : {std::pair(1, room.openings), std::pair(0, room.all)}) {
    absl::Status refused;
    while (refused.ok()) {
      auto admission = shard_->BeginPush(Of(0, slot, 0), shard_->run()->layout.hash());
      refused = admission.status();
      if (refused.ok()) held.push_back(*std::move(admission));
    }
    EXPECT_TRUE(absl::IsResourceExhausted(refused)) << refused;
    EXPECT_EQ(held.size(), most);
  }
  EXPECT_LE(shard_->memory().now_bytes, shard_->memory().limit_bytes);
  held.clear();
  EXPECT_TRUE(Push(Of(0, 0, 0), 1).ok());
}

TEST_F(ShardTest, OtherInitialWeightsPlansAreRefusedAndRepeatsAreDuplicates) {
  Make();
  Plan other = SomePlan();
  other.initial_weights_crc32c = 1;
  EXPECT_EQ(shard_->BeginInitialWeights(other).status().code(), absl::StatusCode::kInvalidArgument);
  const auto again = shard_->BeginInitialWeights(SomePlan());
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(again->arena, nullptr);
}

// Two workers are asked one after the other, and the first one's weights come late.
TEST_F(ShardTest, WeightsOfAPlanThatWasGivenUpAreRefusedWheneverTheyCome) {
  Shard shard(SomeJob(Consistency::kSync), 0, 1, &Clock::Real(), &pool_, &observer_);
  Plan other = SomePlan();
  other.tensors[0].shape = {3, 3};
  const auto first = shard.BeginInitialWeights(other);
  first->arena->Zero();
  absl::StatusOr<PushOutcome> late = absl::UnknownError("");
  absl::StatusOr<PushOutcome> good = absl::UnknownError("");
  shard.FinishInitialWeights(*first, [&late](auto outcome) { late = outcome; });
  const auto second = shard.BeginInitialWeights(SomePlan());
  ASSERT_TRUE(second.ok()) << second.status();
  second->arena->Zero();
  while (pool_.RunOne()) {
  }
  EXPECT_TRUE(absl::IsAborted(late.status())) << late.status();
  EXPECT_FALSE(shard.snapshots().Latest().ok());
  shard.FinishInitialWeights(*second, [&good](auto outcome) { good = outcome; });
  shard.FinishInitialWeights(*second, [&late](auto outcome) { late = outcome; });
  while (pool_.RunOne()) {
  }
  EXPECT_EQ(*good, PushOutcome::kAccepted);
  EXPECT_EQ(*late, PushOutcome::kDuplicate);
  EXPECT_TRUE(absl::IsInvalidArgument(shard.BeginInitialWeights(other).status()));
}

TEST_F(ShardTest, APlanThatNeedsMoreMemoryThanThereIsIsRefused) {
  Shard shard(SomeJob(Consistency::kSync), 0, 1, &Clock::Real(), &pool_, &observer_);
  Plan plan = SomePlan();
  plan.tensors[0].shape = {uint64_t{1} << 40};
  EXPECT_EQ(shard.BeginInitialWeights(plan).status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_TRUE(shard.BeginInitialWeights(SomePlan()).ok());
}

TEST_F(ShardTest, WhatCompletesAUnitIsAdmittedWhenNothingElseIs) {
  Job job = SomeJob(Consistency::kAsync);
  job.training.algorithm = Algorithm::kConAdv;
  job.training.adversarial_weight = 1;
  job.training.slots = 4;
  Shard shard(job, 0, 1, &Clock::Real(), &pool_, &observer_);
  Plan plan = SomePlan();
  plan.steps = 1000;
  Begin(shard, plan, pool_);
  // Clean gradients of more units than may be open: the others have to wait.
  const auto push = [&](uint64_t unit, StreamIndex stream) {
    Contribution contribution = Of(unit / 4, unit % 4, 0);
    contribution.stream = stream;
    auto admission = shard.BeginPush(contribution, shard.run()->layout.hash());
    if (!admission.ok()) return admission.status();
    for (float& value : admission->buffer->span()) value = 0;
    shard.FinishPush(contribution, *std::move(admission), [](absl::StatusOr<PushOutcome>) {});
    while (pool_.RunOne()) {
    }
    return absl::OkStatus();
  };
  uint64_t open = 0;
  while (push(open, kCleanStream).ok()) ++open;
  EXPECT_EQ(open, shard.run()->room.openings);
  for (uint64_t unit = 0; unit < open; ++unit) {
    EXPECT_TRUE(push(unit, kAdversarialStream).ok()) << unit;
  }
  EXPECT_EQ(shard.snapshots().Latest()->version.value(), open);
}

// Streams that no algorithm has: two of the main branch, and an attacked one between them.
TEST_F(ShardTest, ThreeMadeUpStreamsAreAddedWeighedAndMeasuredEach) {
  Shard shard(SomeJob(Consistency::kSync), ThreeStreams(), 0, 1, &Clock::Real(), &pool_,
              &observer_);
  Plan plan = SomePlan();
  plan.tensors = {{"main", {16}, TensorKind::kNoDecay, Branch::kMain},
                  {"shared", {16}, TensorKind::kNoDecay, Branch::kShared},
                  {"auxiliary", {16}, TensorKind::kNoDecay, Branch::kAuxiliary}};
  Begin(shard, plan, pool_);
  const float gradients[] = {1, 2, 4};  // of each stream's every element and slot
  const auto push = [&](uint64_t slot, uint64_t stream) {
    Contribution contribution = Of(0, slot, 0);
    contribution.stream = StreamIndex(stream);
    auto admission = shard.BeginPush(contribution, shard.run()->layout.hash());
    ASSERT_TRUE(admission.ok()) << admission.status();
    EXPECT_EQ(admission->range.size(), 32U) << "its branch's and the shared ones";
    for (float& value : admission->buffer->span()) value = gradients[stream];
    shard.FinishPush(contribution, *std::move(admission),
                     [](const absl::StatusOr<PushOutcome>& outcome) {
                       EXPECT_EQ(*outcome, PushOutcome::kAccepted);
                     });
    while (pool_.RunOne()) {
    }
  };
  for (const uint64_t stream : {2, 1, 0}) {
    EXPECT_EQ(shard.snapshots().Latest()->version, Version(0));
    for (const uint64_t slot : {1, 0}) push(slot, stream);
  }
  const Snapshot made = *shard.snapshots().Latest();
  ASSERT_EQ(made.version, Version(1));
  // θ' = −(w0·g0 + w1·g1 + w2·g2), of the streams that have the tensor; the rate is 1.
  EXPECT_FLOAT_EQ(made.weights->data()[0], -(1 + 0.25F * 4));
  EXPECT_FLOAT_EQ(made.weights->data()[16], -(1 + 0.5F * 2 + 0.25F * 4));
  EXPECT_FLOAT_EQ(made.weights->data()[32], -(0.5F * 2));
  const UpdateNorms& norms = observer_.updates.back().norms;
  for (uint64_t stream = 0; stream < 3; ++stream) {
    EXPECT_NEAR(norms.norm[stream], gradients[stream] * std::sqrt(32), 1e-5) << stream;
  }
  EXPECT_NEAR(norms.dot[1], 2 * 16, 1e-4) << "only the shared tensor";
  EXPECT_NEAR(norms.dot[2], 4 * 32, 1e-4);
  EXPECT_EQ(observer_.updates.back().contributions.size(), 6U);
}

TEST(ShardStress, ManyThreadsPushEverythingTwiceAndItCountsOnce) {
  CountingObserver observer;
  auto pool = std::make_unique<ThreadPool>(3);
  Job job = SomeJob(Consistency::kAsync);
  job.training.slots = 4;
  Shard shard(job, 0, 1, &Clock::Real(), pool.get(), &observer);
  Plan plan = SomePlan();
  plan.steps = 50;
  Begin(shard, plan, *pool);
  std::atomic<int> accepted{0};
  std::vector<std::thread> pushers;
  for (int pusher = 0; pusher < 4; ++pusher) {
    pushers.emplace_back([&, pusher] {
      for (uint64_t i = 0; i < 100; ++i) {
        const uint64_t index = pusher % 2 == 0 ? i : 199 - i;  // each half from both sides
        for (const uint64_t unit : {index, 199 - index}) {
          Contribution contribution;
          contribution.unit = {Step(unit / 4), Slot(unit % 4)};
          contribution.worker = "w";
          auto admission = shard.BeginPush(contribution, shard.run()->layout.hash());
          while (absl::IsResourceExhausted(admission.status())) {
            std::this_thread::yield();
            admission = shard.BeginPush(contribution, shard.run()->layout.hash());
          }
          ASSERT_TRUE(admission.ok()) << admission.status();
          if (admission->buffer == nullptr) continue;
          for (float& value : admission->buffer->span()) value = 1;
          shard.FinishPush(contribution, *std::move(admission),
                           [&](absl::StatusOr<PushOutcome> outcome) {
                             accepted += outcome.ok() && *outcome == PushOutcome::kAccepted;
                           });
        }
      }
    });
  }
  for (std::thread& pusher : pushers) pusher.join();
  // Runs what was submitted: a unit's second contribution may come after the last version.
  pool.reset();
  EXPECT_EQ(accepted, 200);
  const Snapshot last = *shard.snapshots().Latest();
  EXPECT_EQ(last.version, Version(200));
  EXPECT_EQ(last.weights->data()[0], -200.0F);
}

}  // namespace
}  // namespace conadv
