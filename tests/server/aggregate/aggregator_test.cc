// SPDX-License-Identifier: Apache-2.0
#include "server/aggregate/aggregator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <limits>
#include <random>
#include <thread>

#include "common/base/random.h"
#include "server/aggregate/add.h"
#include "tests/support/streams.h"

namespace conadv {
namespace {

constexpr size_t kSize = 64;

Contribution Of(uint64_t step, uint64_t slot, StreamIndex stream = kCleanStream) {
  Contribution contribution;
  contribution.unit = {Step(step), Slot(slot)};
  contribution.stream = stream;
  contribution.worker = "w";
  contribution.update_version = Version(step);
  return contribution;
}

// Values whose sum depends on the order of additions.
std::shared_ptr<Arena> ValuesOf(uint64_t slot) {
  auto arena = std::make_shared<Arena>(kSize);
  Random random(7, Purpose::kPermutation, slot);
  for (float& value : arena->span()) {
    value = random.NextGaussian() * (random.Below(2) == 0 ? 1e6F : 1e-3F);
  }
  return arena;
}

std::optional<ClosedGroup> Push(Aggregator& aggregator, const Contribution& contribution) {
  EXPECT_EQ(aggregator.Claim(contribution), PushOutcome::kAccepted);
  return aggregator.Reduce(contribution, ValuesOf(contribution.unit.slot.value()));
}

std::vector<float> SumInOrder(const std::vector<uint64_t>& order) {
  Aggregator aggregator({true, static_cast<uint32_t>(order.size()), 1, CleanStream()},
                        UnitLedger(1, Step(0)));
  for (const uint64_t slot : order) {
    if (auto closed = Push(aggregator, Of(0, slot)); closed.has_value()) {
      return {closed->sums[0]->span().begin(), closed->sums[0]->span().end()};
    }
  }
  ADD_FAILURE() << "the step did not close";
  return {};
}

TEST(Aggregator, TheSumIsTheSameBitsInAnyOrder) {
  for (const uint32_t slots : {1U, 2U, 3U, 5U, 8U, 13U}) {
    std::vector<uint64_t> order(slots);
    for (uint32_t slot = 0; slot < slots; ++slot) order[slot] = slot;
    const std::vector<float> expected = SumInOrder(order);
    std::mt19937 shuffle(slots);
    for (int round = 0; round < 20; ++round) {
      std::shuffle(order.begin(), order.end(), shuffle);
      const std::vector<float> sum = SumInOrder(order);
      EXPECT_EQ(std::memcmp(sum.data(), expected.data(), kSize * sizeof(float)), 0) << slots;
    }
  }
}

TEST(Aggregator, AStepClosesWhenBothStreamsOfAllSlotsAreIn) {
  Aggregator aggregator({true, 2, 3, CleanAndAdversarial()}, UnitLedger(1, Step(0)));
  EXPECT_FALSE(Push(aggregator, Of(0, 0)).has_value());
  EXPECT_FALSE(Push(aggregator, Of(0, 1)).has_value());
  EXPECT_FALSE(Push(aggregator, Of(0, 1, kAdversarialStream)).has_value());
  const auto closed = Push(aggregator, Of(0, 0, kAdversarialStream));
  ASSERT_TRUE(closed.has_value());
  EXPECT_EQ(closed->unit, (Unit{Step(0), Slot(0)}));
  EXPECT_EQ(closed->contributions.size(), 4U);
  EXPECT_TRUE(std::is_sorted(closed->contributions.begin(), closed->contributions.end(),
                             [](const auto& a, const auto& b) { return a.unit < b.unit; }));
  EXPECT_EQ(aggregator.open_groups(), 0U);
}

TEST(Aggregator, AStepClosesWhenEveryStreamOfTheListIsInHoweverManyThereAre) {
  Aggregator aggregator({true, 2, 3, ThreeStreams()}, UnitLedger(1, Step(0)));
  std::optional<ClosedGroup> closed;
  for (const uint64_t stream : {2, 0, 1}) {
    for (const uint64_t slot : {1, 0}) {
      EXPECT_FALSE(closed.has_value());
      closed = Push(aggregator, Of(0, slot, StreamIndex(stream)));
    }
  }
  ASSERT_TRUE(closed.has_value());
  EXPECT_EQ(closed->sums.size(), 3U);
  EXPECT_EQ(closed->contributions.size(), 6U);
  EXPECT_TRUE(absl::IsInvalidArgument(
      CheckContribution(Of(1, 0, StreamIndex(3)), {true, 2, 3, ThreeStreams()}, Version(1))));
}

TEST(Aggregator, ARepeatIsADuplicateBeforeAndAfterItsStepCloses) {
  Aggregator aggregator({true, 2, 3, CleanStream()}, UnitLedger(1, Step(0)));
  Push(aggregator, Of(0, 0));
  EXPECT_TRUE(aggregator.IsDuplicate({Step(0), Slot(0)}, kCleanStream));
  EXPECT_FALSE(aggregator.IsDuplicate({Step(0), Slot(1)}, kCleanStream));
  EXPECT_EQ(aggregator.Claim(Of(0, 0)), PushOutcome::kDuplicate);
  EXPECT_TRUE(Push(aggregator, Of(0, 1)).has_value());
  EXPECT_EQ(aggregator.Claim(Of(0, 0)), PushOutcome::kDuplicate);
  EXPECT_EQ(aggregator.Claim(Of(0, 1)), PushOutcome::kDuplicate);
  EXPECT_EQ(aggregator.Claim(Of(1, 1)), PushOutcome::kAccepted);
}

TEST(Aggregator, WithoutSyncEveryUnitIsItsOwnGroup) {
  Aggregator aggregator({false, 4, 3, CleanAndAdversarial()}, UnitLedger(4, Step(0)));
  EXPECT_FALSE(Push(aggregator, Of(1, 2)).has_value());
  const auto closed = Push(aggregator, Of(1, 2, kAdversarialStream));
  ASSERT_TRUE(closed.has_value());
  EXPECT_EQ(closed->unit, (Unit{Step(1), Slot(2)}));
  EXPECT_EQ(aggregator.Claim(Of(1, 2)), PushOutcome::kDuplicate);
  EXPECT_EQ(aggregator.Claim(Of(0, 0)), PushOutcome::kAccepted);
}

TEST(Aggregator, EveryContributionCountsOnceHoweverManyThreadsPushIt) {
  constexpr uint32_t kSlots = 16;
  constexpr uint64_t kSteps = 20;
  Aggregator aggregator({true, kSlots, kSteps, CleanStream()}, UnitLedger(1, Step(0)));
  std::atomic<int> closed{0};
  std::atomic<int> accepted{0};
  for (uint64_t step = 0; step < kSteps; ++step) {
    std::vector<std::thread> threads;
    for (int thread = 0; thread < 4; ++thread) {
      threads.emplace_back([&, step, thread] {
        for (uint32_t i = 0; i < kSlots; ++i) {
          const Contribution contribution = Of(step, (i + 4 * thread) % kSlots);
          if (aggregator.Claim(contribution) == PushOutcome::kDuplicate) continue;
          ++accepted;
          closed += aggregator.Reduce(contribution, ValuesOf(i)).has_value() ? 1 : 0;
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
  }
  EXPECT_EQ(accepted, static_cast<int>(kSlots * kSteps));
  EXPECT_EQ(closed, static_cast<int>(kSteps));
}

TEST(CheckContribution, SaysWhatIsWrong) {
  const AggregatorOptions sync{true, 4, 10, CleanAndAdversarial()};
  const AggregatorOptions async{false, 4, 10, CleanStream()};
  EXPECT_TRUE(CheckContribution(Of(3, 3), sync, Version(3)).ok());
  EXPECT_TRUE(CheckContribution(Of(2, 0), sync, Version(3)).ok());  // late: a duplicate
  EXPECT_TRUE(absl::IsFailedPrecondition(CheckContribution(Of(4, 0), sync, Version(3))));
  EXPECT_TRUE(absl::IsInvalidArgument(CheckContribution(Of(10, 0), sync, Version(3))));
  EXPECT_TRUE(absl::IsInvalidArgument(CheckContribution(Of(3, 4), sync, Version(3))));
  Contribution stale = Of(3, 0);
  stale.update_version = Version(2);
  EXPECT_TRUE(absl::IsInvalidArgument(CheckContribution(stale, sync, Version(3))));
  EXPECT_TRUE(CheckContribution(stale, async, Version(30)).ok());
  Contribution lost = Of(3, 0);
  EXPECT_TRUE(CheckMeasures(lost).ok());
  lost.loss = std::numeric_limits<float>::quiet_NaN();
  EXPECT_TRUE(absl::IsInvalidArgument(CheckMeasures(lost)));
  Contribution from_the_future = Of(3, 0, kAdversarialStream);
  from_the_future.attack_version = Version(4);
  EXPECT_TRUE(absl::IsInvalidArgument(CheckContribution(from_the_future, sync, Version(3))));
  EXPECT_TRUE(
      absl::IsInvalidArgument(CheckContribution(Of(3, 0, kAdversarialStream), async, Version(30))));
}

TEST(CheckContribution, BelievesNothingOfAnAttackThatCannotBe) {
  const AggregatorOptions sync{true, 4, 10, CleanAndAdversarial()};
  const auto check = [&](std::optional<float> cosine, AttackOrigins origins,
                         uint64_t attack_version = 1, StreamIndex stream = kAdversarialStream) {
    Contribution of = Of(3, 0, stream);
    of.attack_version = Version(attack_version);
    of.attack_cosine = cosine;
    of.attack_origins = origins;
    return CheckContribution(of, sync, Version(3));
  };
  EXPECT_TRUE(check(std::nullopt, {}).ok());
  for (const float cosine : {-1.0F, 0.0F, 1.0F}) EXPECT_TRUE(check(cosine, {1, 1}).ok());
  for (const float cosine : {-1.001F, 1.001F, std::numeric_limits<float>::quiet_NaN(),
                             std::numeric_limits<float>::infinity()}) {
    EXPECT_TRUE(absl::IsInvalidArgument(check(cosine, {}))) << cosine;
  }
  EXPECT_TRUE(absl::IsInvalidArgument(check(1, {}, 3))) << "its attack is not stale";
  EXPECT_TRUE(absl::IsInvalidArgument(check(1, {}, 1, kCleanStream)));
  constexpr uint32_t kMost = std::numeric_limits<uint32_t>::max();
  for (const AttackOrigins& origins : {AttackOrigins{3, 0}, {0, 3}, {2, 1}, {kMost, kMost}}) {
    EXPECT_TRUE(absl::IsInvalidArgument(check(std::nullopt, origins)));
  }
  EXPECT_TRUE(absl::IsInvalidArgument(check(std::nullopt, {1, 0}, 1, kCleanStream)));
}

TEST(FindNotFinite, FindsTheFirstWhereverItIs) {
  Arena arena(160);
  for (size_t bad = 0; bad < arena.size(); ++bad) {
    for (const float value :
         {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(),
          -std::numeric_limits<float>::infinity()}) {
      std::fill(arena.span().begin(), arena.span().end(), std::numeric_limits<float>::max());
      EXPECT_FALSE(FindNotFinite(arena.span()).has_value());
      arena.data()[bad] = value;
      EXPECT_EQ(FindNotFinite(arena.span()), std::optional<size_t>(bad));
    }
  }
}

TEST(UnitLedger, HoldsEachUnitOnceAndForgetsNothing) {
  UnitLedger ledger(3, Step(1));
  EXPECT_TRUE(ledger.Contains({Step(0), Slot(2)}));
  EXPECT_TRUE(ledger.Add({Step(2), Slot(0)}));
  EXPECT_FALSE(ledger.Add({Step(2), Slot(0)}));
  EXPECT_EQ(ledger.oldest_open(), (Unit{Step(1), Slot(0)}));
  for (uint64_t slot = 0; slot < 3; ++slot) EXPECT_TRUE(ledger.Add({Step(1), Slot(slot)}));
  EXPECT_EQ(ledger.oldest_open(), (Unit{Step(2), Slot(1)}));
  EXPECT_EQ(ledger.closed(), 7U);
}

}  // namespace
}  // namespace conadv
