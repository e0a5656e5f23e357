// SPDX-License-Identifier: Apache-2.0
// Workers that live but do not get on.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <set>
#include <string>
#include <vector>

#include "tests/server/coordinate/coordinator_fixture.h"

namespace conadv {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class StragglerTest : public CoordinatorTest {
 protected:
  // Two workers; the run has 16 steps of 2 slots.
  void SetUp() override {
    MakeLong();
    slow_id_ = *Join(Role::kWorker, &slow_);
    fast_id_ = *Join(Role::kWorker, &fast_);
    coordinator_->OnOffered(slow_id_);
  }
  // Time passes; both send heartbeats all the while.
  void Pass(absl::Duration time) {
    const absl::Time until = clock_.now + time;
    while (clock_.now < until) {
      clock_.now = std::min(clock_.now + absl::Seconds(1), until);
      coordinator_->OnHeartbeat(slow_id_);
      coordinator_->OnHeartbeat(fast_id_);
      coordinator_->Tick();
    }
  }
  void FinishAll(MemberId id, FakeMember& member) {
    while (!member.units.empty()) coordinator_->OnDone(id, std::exchange(member.units, {}));
  }

  FakeMember slow_;
  FakeMember fast_;
  MemberId slow_id_;
  MemberId fast_id_;
};

TEST_F(StragglerTest, AwaitedUnitsOfAWorkerThatFinishesNothingGoToAnotherWhileItLives) {
  const std::vector<Unit> held = slow_.units;
  ASSERT_THAT(held, Contains(Unit{Step(0), Slot(0)}));
  FinishAll(fast_id_, fast_);
  Pass(absl::Seconds(11));
  EXPECT_TRUE(slow_.closed.ok());
  EXPECT_THAT(fast_.units, Contains(Unit{Step(0), Slot(0)}));
}

TEST_F(StragglerTest, TheRunGoesOnWithoutItAndItGetsNothingNew) {
  const std::vector<Unit> held = slow_.units;
  FinishAll(fast_id_, fast_);
  Pass(absl::Seconds(11));
  for (int i = 0; i < 10; ++i) {
    slow_.units.clear();
    FinishAll(fast_id_, fast_);
    EXPECT_THAT(slow_.units, IsEmpty());
  }
  EXPECT_GT(coordinator_->Read().step, Step(2));
  // Once it has finished something, it is one of them again.
  coordinator_->OnDone(slow_id_, {held.front()});
  FinishAll(fast_id_, fast_);
  for (const auto& [member, units] : coordinator_->Read().members) {
    EXPECT_FALSE(member.straggles) << member.id;
  }
}

TEST_F(StragglerTest, WhoeverIsFirstIsDoneAndTheOtherChangesNothing) {
  FinishAll(fast_id_, fast_);
  Pass(absl::Seconds(11));
  const Unit unit{Step(0), Slot(0)};
  coordinator_->OnDone(slow_id_, {unit});
  const Step step = coordinator_->Read().step;
  coordinator_->OnDone(fast_id_, {unit});
  EXPECT_EQ(coordinator_->Read().step, step);
}

TEST_F(StragglerTest, AWorkerThatStaysStuckIsToldToEnd) {
  FinishAll(fast_id_, fast_);
  fast_.units.clear();
  Pass(absl::Seconds(130));
  EXPECT_TRUE(absl::IsAborted(slow_.closed)) << slow_.closed;
  EXPECT_THAT(std::string(slow_.closed.message()), HasSubstr("stuck"));
}

TEST_F(StragglerTest, AWorkerThatStaysStuckIsToldToEndThoughOthersHaveDoneItsWork) {
  FinishAll(fast_id_, fast_);
  for (int second = 0; second < 130; ++second) {
    Pass(absl::Seconds(1));
    FinishAll(fast_id_, fast_);
  }
  // Neither a last checkpoint nor an evaluator came in all that time.
  EXPECT_TRUE(coordinator_->Read().phase == Phase::kFinished);
  EXPECT_TRUE(absl::IsAborted(slow_.closed)) << slow_.closed;
  EXPECT_TRUE(fast_.closed.ok()) << fast_.closed;
}

TEST_F(StragglerTest, AWorkerThatWaitsForOthersIsNotSlow) {
  FinishAll(fast_id_, fast_);
  Pass(absl::Seconds(11));
  for (const auto& [member, units] : coordinator_->Read().members) {
    EXPECT_EQ(member.straggles, member.id == slow_id_);
  }
}

TEST_F(StragglerTest, ACoordinatorThatWasStoppedItselfBlamesNobody) {
  clock_.now += absl::Minutes(5);
  coordinator_->Tick();
  EXPECT_TRUE(slow_.closed.ok());
  EXPECT_TRUE(fast_.closed.ok());
  for (const auto& [member, units] : coordinator_->Read().members) {
    EXPECT_FALSE(member.straggles);
  }
}

// Three workers of which two freeze, each at its time. The third one can finish what belongs to the
// oldest step, as the weights of later ones do not exist: it must always get enough to go on.
class FrozenTest : public CoordinatorTest {
 protected:
  struct Worker {
    FakeMember member;
    MemberId id;
    uint64_t freezes_at = 0;  // so many units before
    uint64_t done = 0;
    std::set<Unit> held;
  };

  std::string Describe() const {
    std::string text;
    const CoordinatorView view = coordinator_->Read();
    text += ", oldest step " + std::to_string(view.step.value());
    for (const auto& [member, units] : view.members) {
      text +=
          "; member " + std::to_string(member.id.value()) + (member.straggles ? " straggles" : "");
      for (const Unit& unit : units) text += ", " + unit.ToString();
    }
    return text;
  }

  // One look at a worker. Whether it finished something.
  bool Work(Worker& worker) {
    for (const Unit& unit : std::exchange(worker.member.units, {})) worker.held.insert(unit);
    const Step now = coordinator_->Read().step;
    if (worker.held.empty() || worker.done == worker.freezes_at) return false;
    const Unit unit = *worker.held.begin();
    if (unit.step > now) return false;  // of an older step another one was faster: it says so
    worker.held.erase(worker.held.begin());
    ++worker.done;
    coordinator_->OnDone(worker.id, {unit});
    return true;
  }
};

TEST_F(FrozenTest, OneWorkerThatGetsOnIsEnough) {
  for (uint64_t seed = 0; seed < 300; ++seed) {
    std::mt19937_64 random(seed);
    local_ = FakeMember();
    MakeLong();
    std::vector<Worker> workers(3);
    for (Worker& worker : workers) {
      worker.id = *Join(Role::kWorker, &worker.member);
      worker.freezes_at = random() % 12;
    }
    workers[2].freezes_at = 1000;
    coordinator_->OnOffered(workers[0].id);
    absl::Time moved = clock_.now;
    while (coordinator_->Read().phase == Phase::kTraining) {
      if (Work(workers[random() % workers.size()])) moved = clock_.now;
      if (random() % 4 == 0) clock_.now += absl::Milliseconds(500);
      for (const Worker& worker : workers) coordinator_->OnHeartbeat(worker.id);
      coordinator_->Tick();
      // Before anyone is taken for stuck.
      ASSERT_LT(clock_.now - moved, absl::Seconds(60)) << "seed " << seed << Describe();
    }
  }
}

TEST(Pace, PatienceFollowsWhatUnitsTakeOnceEnoughAreKnown) {
  Pace pace;
  EXPECT_EQ(pace.patience(absl::Seconds(10)), absl::Seconds(10));
  for (int i = 0; i < 100; ++i) pace.Add(absl::Seconds(1));
  EXPECT_EQ(pace.patience(absl::Seconds(10)), absl::Seconds(4));
  for (int i = 0; i < 1000; ++i) pace.Add(absl::Milliseconds(1));
  EXPECT_EQ(pace.patience(absl::Seconds(10)), absl::Milliseconds(500));
  for (int i = 0; i < 1000; ++i) pace.Add(absl::Minutes(1));
  EXPECT_GT(pace.timeout(absl::Minutes(2)), absl::Minutes(6)) << "slow models are not stuck";
}

}  // namespace
}  // namespace conadv
