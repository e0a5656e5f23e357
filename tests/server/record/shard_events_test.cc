// SPDX-License-Identifier: Apache-2.0
#include "server/record/shard_events.h"

#include <gtest/gtest.h>

#include <memory>
#include <utility>

#include "tests/server/plain_job.h"
#include "tests/support/fake_clock.h"

namespace conadv {
namespace {

// A shard of one process, whose pool the test steps.
class ShardEventsTest : public ::testing::Test {
 protected:
  ShardEventsTest() {
    Plan plan;
    plan.tensors = {{"weight", {5, 4}}};
    plan.examples = 64;
    plan.steps = 10;
    const auto initial = shard_.BeginInitialWeights(plan);
    EXPECT_TRUE(initial.ok()) << initial.status();
    initial->arena->Zero();
    shard_.FinishInitialWeights(*initial, [](const absl::StatusOr<PushOutcome>&) {});
    Step();
  }
  void Step() {
    while (pool_.RunOne()) {
    }
  }
  void Update(uint64_t step) {
    Contribution contribution;
    contribution.unit = {conadv::Step(step), Slot(0)};
    contribution.worker = "w";
    contribution.update_version = Version(step);
    auto admission = shard_.BeginPush(contribution, shard_.run()->layout.hash());
    ASSERT_TRUE(admission.ok()) << admission.status();
    admission->buffer->Zero();
    shard_.FinishPush(contribution, *std::move(admission),
                      [](const absl::StatusOr<PushOutcome>&) {});
    Step();
  }

  const Job job_ = PlainJob(/*retain=*/3);
  FakeClock clock_;
  Checkpointer checkpointer_{{}, &FileSystem::Real(), &clock_};
  ThreadPool pool_{0};
  ShardEvents events_{job_, nullptr, &checkpointer_, &clock_};
  Shard shard_{job_, 0, 1, &clock_, &pool_, &events_};
};

TEST_F(ShardEventsTest, TheCalendarMayJumpAndNoSecondIsLostOrGained) {
  const absl::Duration jumps[] = {absl::Hours(-1), absl::Hours(2), absl::Hours(-1)};
  uint64_t step = 0;
  for (const absl::Duration jump : jumps) {
    clock_.wall_ahead += jump;
    clock_.now += absl::Seconds(2);
    Update(step++);
  }
  const ShardEvents::Progress progress = events_.progress();
  ASSERT_TRUE(progress.last.has_value());
  EXPECT_EQ(progress.last->seconds, 6);
  EXPECT_EQ(progress.examples_per_second, 4);
}

}  // namespace
}  // namespace conadv
