// SPDX-License-Identifier: Apache-2.0
// However contributions come, a shard of a large model takes a bounded number of them, and all of
// them in the end.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <memory>
#include <numeric>
#include <random>
#include <utility>
#include <vector>

#include "server/shard/shard.h"
#include "tests/support/fake_clock.h"
#include "tests/support/streams.h"

namespace conadv {
namespace {

constexpr size_t kParameters = size_t{1} << 19;  // 2 MiB: little room that is free

class Silent final : public ShardObserver {
 public:
  void OnPublished(const Publication&) override {}
};

Job SomeJob(Consistency consistency, uint32_t slots) {
  Job job;
  job.training.algorithm = Algorithm::kConAdv;
  job.training.consistency = consistency;
  job.training.global_batch = 4 * slots;
  job.training.slots = slots;
  job.training.tau = 0;
  job.training.clean_weight = 1;
  job.training.adversarial_weight = 1;
  job.optimizer.rule = SgdOptions{};
  job.schedule.peak = 1;
  job.schedule.decay = ConstantDecay{};
  job.server.retain = 2;
  return job;
}

Plan SomePlan(size_t parameters) {
  Plan plan;
  plan.tensors = {{"weight", {parameters}}};
  plan.examples = 4096;
  plan.steps = 2;
  return plan;
}

struct Push {
  Contribution contribution;
  std::optional<Shard::Admission> admission;  // it is arriving
};

// One step's contributions come in `order` (indices: 2 · slot + stream), up to `most` of them at a
// time; who is sent away goes to the end of the line. Answers with the weights.
std::vector<float> Train(Consistency consistency, uint32_t slots, std::vector<int> order,
                         size_t most, std::mt19937* random, uint64_t* most_in_use) {
  ThreadPool pool(0);
  Silent observer;
  Shard shard(SomeJob(consistency, slots), 0, 1, &Clock::Real(), &pool, &observer);
  const auto initial = shard.BeginInitialWeights(SomePlan(kParameters));
  initial->arena->Zero();
  shard.FinishInitialWeights(*initial, [](const absl::StatusOr<PushOutcome>&) {});
  while (pool.RunOne()) {
  }
  const uint64_t arena_bytes = kParameters * sizeof(float);
  const uint64_t before = shard.memory().now_bytes;
  std::deque<Push> waiting;
  for (const int index : order) {
    Push push;
    push.contribution.unit = {Step(0), Slot(index / 2)};
    push.contribution.stream = index % 2 == 0 ? kCleanStream : kAdversarialStream;
    push.contribution.worker = "w";
    waiting.push_back(std::move(push));
  }
  std::deque<Push> arriving;
  size_t refused_in_a_row = 0;
  while (!waiting.empty() || !arriving.empty()) {
    const bool ends = arriving.size() == most || waiting.empty() || (*random)() % 2 == 0;
    if (ends && !arriving.empty()) {
      std::swap(arriving.front(), arriving[(*random)() % arriving.size()]);
      Push push = std::move(arriving.front());
      arriving.pop_front();
      const float value = static_cast<float>(push.contribution.unit.slot.value()) * 0.37F + 0.1F;
      for (float& element : push.admission->buffer->span()) element = value;
      shard.FinishPush(push.contribution, *std::move(push.admission),
                       [](const absl::StatusOr<PushOutcome>& outcome) {
                         EXPECT_EQ(*outcome, PushOutcome::kAccepted);
                       });
      while (pool.RunOne()) {
      }
      refused_in_a_row = 0;
      continue;
    }
    if (waiting.empty()) continue;
    Push push = std::move(waiting.front());
    waiting.pop_front();
    auto admission = shard.BeginPush(push.contribution, shard.run()->layout.hash());
    *most_in_use =
        std::max(*most_in_use, (shard.memory().now_bytes - before + arena_bytes - 1) / arena_bytes);
    if (admission.ok()) {
      push.admission = *std::move(admission);
      arriving.push_back(std::move(push));
      refused_in_a_row = 0;
      continue;
    }
    EXPECT_TRUE(absl::IsResourceExhausted(admission.status())) << admission.status();
    waiting.push_back(std::move(push));
    // Everyone was sent away though nothing is under way: it would go on for ever.
    if (++refused_in_a_row > waiting.size() && arriving.empty()) {
      ADD_FAILURE() << "nothing gets on with " << waiting.size() << " waiting";
      break;
    }
  }
  const Snapshot latest = *shard.snapshots().Latest();
  EXPECT_EQ(latest.version.value(), consistency == Consistency::kSync ? 1U : slots);
  return {latest.weights->span().begin(), latest.weights->span().begin() + 4};
}

class ContributionRoomTest : public ::testing::TestWithParam<Consistency> {};

TEST_P(ContributionRoomTest, IsEnoughInWhateverOrderTheyCome) {
  constexpr uint32_t kSlots = 32;
  const ContributionRoom room =
      ContributionRoomOf(SomeJob(GetParam(), kSlots).training, 2, kParameters * sizeof(float));
  ASSERT_LT(room.all, 2 * kSlots) << "it must be scarce";
  std::mt19937 random(7);
  std::vector<int> order(2 * kSlots);
  std::iota(order.begin(), order.end(), 0);
  uint64_t in_use = 0;
  const std::vector<float> expected = Train(GetParam(), kSlots, order, 1, &random, &in_use);
  // The worst for a tree: no two that belong together until half of all are there.
  std::vector<int> apart;
  for (const int offset : {2, 3, 0, 1}) {
    for (int i = offset; i < 2 * static_cast<int>(kSlots); i += 4) apart.push_back(i);
  }
  std::vector<std::vector<int>> orders = {apart, {order.rbegin(), order.rend()}};
  for (int i = 0; i < 2; ++i) {
    std::shuffle(order.begin(), order.end(), random);
    orders.push_back(order);
  }
  for (const std::vector<int>& one : orders) {
    for (const size_t most : {1, 3, 64}) {
      const std::vector<float> weights = Train(GetParam(), kSlots, one, most, &random, &in_use);
      if (GetParam() == Consistency::kSync) {
        EXPECT_EQ(weights, expected);
      } else {
        EXPECT_FLOAT_EQ(weights[0], expected[0]);
      }
    }
  }
  // Weights of one version more than before, and the recycled one.
  EXPECT_LE(in_use, room.all + 2);
}

INSTANTIATE_TEST_SUITE_P(Modes, ContributionRoomTest,
                         ::testing::Values(Consistency::kSync, Consistency::kAsync),
                         [](const auto& mode) {
                           return mode.param == Consistency::kSync ? "Sync" : "Async";
                         });

TEST(ContributionRoom, IsWhatTheTreesOfALargeModelNeed) {
  TrainingOptions training = SomeJob(Consistency::kSync, 8).training;
  constexpr uint64_t kLarge = uint64_t{40} << 20;
  EXPECT_EQ(ContributionRoomOf(training, 2, kLarge).openings, 16U) << "a whole step";
  EXPECT_EQ(ContributionRoomOf(training, 2, kLarge).all, 18U);
  training.slots = 1024;
  EXPECT_EQ(ContributionRoomOf(training, 2, kLarge).openings, 2 * 11 + 8U);
  EXPECT_EQ(ContributionRoomOf(training, 2, kLarge).all, 4 * 11 + 8 + 2U);
  EXPECT_EQ(ContributionRoomOf(training, 2, 1000).openings, 2 * (1024 + 32U))
      << "they cost nothing";
}

// A push that waits for its pass is in nobody's way as long as there is nobody.
TEST(ContributionRoom, IsShortWhileItIsFullAndSomebodyWasSentAwayLately) {
  ThreadPool pool(0);
  Silent observer;
  FakeClock clock;
  Shard shard(SomeJob(Consistency::kAsync, 16), 0, 1, &clock, &pool, &observer);
  Plan plan = SomePlan(kParameters);
  plan.steps = 1000;
  const auto initial = shard.BeginInitialWeights(plan);
  initial->arena->Zero();
  shard.FinishInitialWeights(*initial, [](const absl::StatusOr<PushOutcome>&) {});
  while (pool.RunOne()) {
  }
  const auto begin = [&shard](uint64_t unit) {
    Contribution contribution;
    contribution.unit = {Step(unit / 16), Slot(unit % 16)};
    return shard.BeginPush(contribution, shard.run()->layout.hash());
  };
  std::vector<Shard::Admission> arriving;
  while (arriving.size() < shard.run()->room.openings) {
    auto admission = begin(arriving.size());
    ASSERT_TRUE(admission.ok()) << admission.status();
    arriving.push_back(*std::move(admission));
  }
  EXPECT_FALSE(shard.refuses(absl::Seconds(10))) << "all that came are in";
  EXPECT_TRUE(absl::IsResourceExhausted(begin(arriving.size()).status()));
  EXPECT_TRUE(shard.refuses(absl::Seconds(10)));
  clock.now += absl::Seconds(11);
  EXPECT_FALSE(shard.refuses(absl::Seconds(10)));
  EXPECT_FALSE(begin(arriving.size()).ok());
  arriving.pop_back();
  EXPECT_FALSE(shard.refuses(absl::Seconds(10))) << "there is room";
}

}  // namespace
}  // namespace conadv
