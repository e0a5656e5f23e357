// SPDX-License-Identifier: Apache-2.0
#include "worker/schedule/executor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <set>
#include <string>

#include "tests/support/gate.h"

namespace conadv {
namespace {

using ::testing::ElementsAre;

class ManualClock final : public Clock {
 public:
  absl::Time Now() const override { return absl::FromUnixMicros(micros); }
  absl::Time WallNow() const override { return Now(); }
  std::atomic<int64_t> micros{0};
};

Unit At(uint64_t step, uint64_t slot) { return {Step(step), Slot(slot)}; }

TEST(Executor, UpdatesGoBeforeAttacksAndEarlierUnitsFirst) {
  WorkerStatistics statistics;
  Executor executor(1, 100, nullptr, &statistics, Clock::Real());
  Gate begin, end;
  std::vector<std::string> order;
  const auto note = [&order](const char* name) {
    return [&order, name](int) { order.push_back(name); };
  };
  ASSERT_TRUE(executor.Submit(Priority::kUpdate, At(0, 0), [&](int) { begin.Wait(); }).ok());
  ASSERT_TRUE(executor.Submit(Priority::kAttack, At(1, 0), note("attack 1 0")).ok());
  ASSERT_TRUE(executor.Submit(Priority::kUpdate, At(2, 0), note("update 2 0")).ok());
  ASSERT_TRUE(executor.Submit(Priority::kUpdate, At(1, 1), note("update 1 1")).ok());
  ASSERT_TRUE(executor.Submit(Priority::kUpdate, At(1, 0), note("clean 1 0")).ok());
  ASSERT_TRUE(executor.Submit(Priority::kUpdate, At(1, 0), note("adversarial 1 0")).ok());
  ASSERT_TRUE(executor.Submit(Priority::kAttack, At(9, 0), [&](int) { end.Open(); }).ok());
  begin.Open();
  end.Wait();
  EXPECT_THAT(
      order, ElementsAre("clean 1 0", "adversarial 1 0", "update 1 1", "update 2 0", "attack 1 0"));
}

TEST(Executor, AFullQueueRefusesAndLosesNothing) {
  WorkerStatistics statistics;
  Executor executor(1, 2, nullptr, &statistics, Clock::Real());
  Gate running, go, end;
  std::atomic<int> ran{0};
  ASSERT_TRUE(executor
                  .Submit(Priority::kUpdate, At(0, 0),
                          [&](int) {
                            running.Open();
                            go.Wait();
                          })
                  .ok());
  running.Wait();
  const auto task = [&](int) {
    if (++ran == 2) end.Open();
  };
  EXPECT_TRUE(executor.Submit(Priority::kUpdate, At(1, 0), task).ok());
  EXPECT_TRUE(executor.Submit(Priority::kUpdate, At(1, 1), task).ok());
  EXPECT_TRUE(absl::IsResourceExhausted(executor.Submit(Priority::kUpdate, At(1, 2), task)));
  go.Open();
  end.Wait();
  EXPECT_EQ(ran, 2);
}

TEST(Executor, EveryTaskRunsOnceAndLanesDoNotShare) {
  WorkerStatistics statistics;
  constexpr int kLanes = 3, kTasks = 3000;
  std::atomic<int> prepared{0}, ran{0}, in_lane[kLanes] = {};
  std::atomic<bool> shared{false};
  Gate end;
  Executor executor(
      kLanes, kTasks, [&prepared] { ++prepared; }, &statistics, Clock::Real());
  std::vector<std::thread> callers;
  for (int caller = 0; caller < 3; ++caller) {
    callers.emplace_back([&, caller] {
      for (int i = caller; i < kTasks; i += 3) {
        const Priority priority = i % 2 == 0 ? Priority::kUpdate : Priority::kAttack;
        ASSERT_TRUE(executor
                        .Submit(priority, At(i % 17, i),
                                [&](int lane) {
                                  if (++in_lane[lane] > 1) shared = true;
                                  --in_lane[lane];
                                  if (++ran == kTasks) end.Open();
                                })
                        .ok());
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  end.Wait();
  executor.Stop();
  EXPECT_EQ(ran, kTasks);
  EXPECT_EQ(prepared, kLanes);
  EXPECT_FALSE(shared);
}

TEST(Executor, StopDropsWhatWaitsAndRefusesMore) {
  WorkerStatistics statistics;
  Executor executor(1, 10, nullptr, &statistics, Clock::Real());
  Gate running, go;
  std::atomic<bool> dropped_ran{false};
  ASSERT_TRUE(executor
                  .Submit(Priority::kUpdate, At(0, 0),
                          [&](int) {
                            running.Open();
                            go.Wait();
                          })
                  .ok());
  auto held = std::make_shared<int>(1);
  running.Wait();
  ASSERT_TRUE(
      executor.Submit(Priority::kUpdate, At(1, 0), [&, held](int) { dropped_ran = true; }).ok());
  std::thread stopper([&] { executor.Stop(); });
  while (held.use_count() > 1) std::this_thread::yield();
  go.Open();
  stopper.join();
  EXPECT_FALSE(dropped_ran);
  EXPECT_TRUE(absl::IsCancelled(executor.Submit(Priority::kUpdate, At(0, 0), [](int) {})));
}

TEST(Executor, TimeIsBookedAsBusyOrByWhatIdleLanesWaitFor) {
  WorkerStatistics statistics;
  ManualClock clock;
  {
    Gate running, go;
    Executor executor(1, 10, nullptr, &statistics, clock);
    ASSERT_TRUE(executor
                    .Submit(Priority::kUpdate, At(0, 0),
                            [&](int) {
                              clock.micros += 3'000'000;
                              running.Open();
                              go.Wait();
                            })
                    .ok());
    running.Wait();
    executor.SetWaitCause(WaitCause::kPush);
    go.Open();
  }
  const WorkerTotals totals = statistics.totals();
  EXPECT_EQ(totals.busy, absl::Seconds(3));
  EXPECT_EQ(totals.waited_for(WaitCause::kPush) + totals.waited_for(WaitCause::kLease),
            absl::ZeroDuration());
}

}  // namespace
}  // namespace conadv
