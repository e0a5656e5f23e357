// SPDX-License-Identifier: Apache-2.0
// The machine under events in random orders.
#include "server/coordinate/machine.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/server/coordinate/machine_model.h"

namespace conadv {
namespace {

constexpr uint64_t kMost = 2'000'000;  // events: far more than any of these runs has

TEST(CoordinatorMachine, RunsEndWithEveryUnitDoneWhateverTheOrderOfEvents) {
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    MachineModel::Options options;
    options.seed = seed;
    options.workers = 1 + seed % 9;
    options.slots = 1 + seed % 5;
    options.steps = 20;
    MachineModel model(options);
    model.Play(kMost);
    ASSERT_EQ(model.wrong(), "");
    ASSERT_TRUE(model.machine().over())
        << "seed " << seed << ": " << model.machine().View(model.now()).message;
    ASSERT_TRUE(model.machine().failure().ok())
        << "seed " << seed << ": " << model.machine().failure();
    EXPECT_EQ(model.units_done(), options.steps * options.slots);
  }
}

TEST(CoordinatorMachine, AThousandWorkersComeAndGoAndEveryUnitIsDone) {
  MachineModel::Options options;
  options.workers = 1000;
  options.slots = 1000;
  options.steps = 20;
  MachineModel model(options);
  model.Play(kMost);
  EXPECT_EQ(model.wrong(), "");
  EXPECT_TRUE(model.machine().over()) << model.machine().View(model.now()).message;
  EXPECT_EQ(model.units_done(), options.steps * options.slots);
}

TEST(CoordinatorMachine, TheSameEventsGiveTheSameActions) {
  MachineModel::Options options;
  options.workers = 50;
  options.slots = 64;
  options.steps = 30;
  MachineModel first(options);
  MachineModel second(options);
  first.Play(kMost);
  second.Play(kMost);
  EXPECT_EQ(first.digest(), second.digest());
  options.seed = 2;
  MachineModel other(options);
  other.Play(kMost);
  EXPECT_NE(first.digest(), other.digest());
}

TEST(CoordinatorMachine, APhaseIsNeverGoneBackToButToFindAnotherFirstWorker) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    MachineModel::Options options;
    options.seed = seed;
    MachineModel model(options);
    Phase phase = Phase::kWaitingForShards;
    while (!model.machine().over()) {
      model.Once();
      const Phase now = model.machine().phase();
      const bool another = phase == Phase::kInitializing && now == Phase::kWaitingForWorkers;
      ASSERT_TRUE(now >= phase || another) << "seed " << seed;
      phase = now;
    }
    EXPECT_EQ(phase, Phase::kFinished);
  }
}

TEST(CoordinatorMachine, ARunThatFailedClosesEverySessionOnceAndSaysNothingMore) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    MachineModel::Options options;
    options.seed = seed;
    MachineModel model(options);
    for (uint64_t i = 0; i < 20 * seed && !model.machine().over(); ++i) model.Once();
    if (model.machine().over()) continue;
    const size_t members = model.machine().View(model.now()).members.size();
    CoordinatorMachine& machine = model.machine();
    const auto failed = machine.Step(FailEvent{absl::AbortedError("no power")}, model.now());
    EXPECT_EQ(failed.actions.size(), members);
    for (const Action& action : failed.actions) {
      ASSERT_TRUE(std::holds_alternative<CloseAction>(action));
      EXPECT_EQ(std::get<CloseAction>(action).status.message(), "no power");
    }
    HelloMessage hello;
    for (const Event& event : std::vector<Event>{
             TickEvent{}, SaveEvent{}, GoneEvent{MemberId(1)}, PublishedEvent{Version(1)},
             HeartbeatEvent{MemberId(1), 1}, DoneEvent{MemberId(3), {Unit{}}},
             OfferedEvent{MemberId(3)}, CheckpointedEvent{MemberId(1), {}}, JoinEvent{hello},
             FailEvent{absl::AbortedError("again")}}) {
      EXPECT_TRUE(machine.Step(event, model.now()).actions.empty()) << event.index();
    }
    EXPECT_EQ(machine.failure().message(), "no power");
    EXPECT_TRUE(machine.over());
  }
}

}  // namespace
}  // namespace conadv
