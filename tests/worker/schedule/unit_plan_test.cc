// SPDX-License-Identifier: Apache-2.0
#include "worker/schedule/unit_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/support/streams.h"

namespace conadv {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::IsSupersetOf;
using ::testing::Not;

// Units in hand, and what the plan says about them.
class Hand {
 public:
  Hand(const PlanOptions& options, size_t units, uint64_t first_step = 0) : options_(options) {
    for (size_t i = 0; i < units; ++i) {
      units_.emplace_back();
      units_.back().unit.step = Step(first_step + i);
      units_.back().examples = Stage::kDone;
    }
  }
  UnitProgress& operator[](size_t i) { return units_[i]; }
  std::vector<Action> Next(size_t in_flight = 0) {
    return NextActions(Pointers(), seen, in_flight, options_);
  }
  // Begins everything that may begin.
  std::vector<Action> Take(size_t in_flight = 0) {
    std::vector<Action> actions = Next(in_flight);
    for (const Action& action : actions) Begin(action, &units_[action.index]);
    return actions;
  }
  WaitCause Cause() { return CauseOf(Pointers(), options_); }

  SeenVersions seen;

 private:
  std::vector<const UnitProgress*> Pointers() {
    std::vector<const UnitProgress*> pointers;
    for (const UnitProgress& unit : units_) pointers.push_back(&unit);
    return pointers;
  }
  const PlanOptions options_;
  std::vector<UnitProgress> units_;
};

Action Ask(size_t i, uint64_t version) { return {i, ActionKind::kAskUpdate, Version(version)}; }
Action AskLatest(size_t i) { return {i, ActionKind::kAskUpdate, std::nullopt}; }
Action AskAttack(size_t i, uint64_t version) {
  return {i, ActionKind::kAskAttack, Version(version)};
}
Action Load(size_t i) { return {i, ActionKind::kLoad, std::nullopt}; }
Action Attack(size_t i) { return {i, ActionKind::kAttack, std::nullopt}; }
Action Clean(size_t i) { return {i, ActionKind::kPass, std::nullopt, kCleanStream}; }
Action Adversarial(size_t i) { return {i, ActionKind::kPass, std::nullopt, kAdversarialStream}; }

PlanOptions Sync(uint32_t tau) {
  PlanOptions options;
  options.streams = CleanAndAdversarial();
  options.tau = tau;
  return options;
}

PlanOptions Async(uint32_t tau) {
  PlanOptions options = Sync(tau);
  options.sync = false;
  return options;
}

TEST(SyncPlan, AttackStalenessIsExactlyTauOnceThatManyVersionsAreThere) {
  for (const uint32_t tau : {0, 1, 2, 5}) {
    for (uint64_t step = 0; step < 9; ++step) {
      Hand hand(Sync(tau), 1, step);
      EXPECT_THAT(hand.Take(),
                  ElementsAre(Ask(0, step), AskAttack(0, step - std::min<uint64_t>(step, tau))))
          << "step " << step << ", tau " << tau;
      EXPECT_THAT(hand.Take(), IsEmpty()) << "asked twice";
    }
  }
}

TEST(SyncPlan, AnAttackBeginsBeforeItsUpdatesWeightsAreThere) {
  Hand hand(Sync(1), 1, 4);
  hand.Take();
  hand[0].attack_version = Version(3);
  EXPECT_THAT(hand.Take(), ElementsAre(Attack(0)));
  EXPECT_THAT(hand.Take(), IsEmpty());
}

TEST(SyncPlan, TheCleanPassNeedsNoAttackAndTheAdversarialDoes) {
  Hand hand(Sync(1), 1, 4);
  hand.Take();
  hand[0].update_version = Version(4);
  EXPECT_THAT(hand.Take(), ElementsAre(Clean(0)));
  hand[0].attack_version = Version(3);
  EXPECT_THAT(hand.Take(), ElementsAre(Attack(0)));
  hand[0].attack = Stage::kDone;
  EXPECT_THAT(hand.Take(), ElementsAre(Adversarial(0)));
}

TEST(SyncPlan, ReplaysAskForOlderWeightsOnceTheirOwnAreThere) {
  PlanOptions options = Sync(0);
  options.streams = AdversarialStream();
  options.replays = 4;
  for (const uint64_t step : {8, 9, 11}) {
    Hand hand(options, 1, step);
    EXPECT_THAT(hand.Take(), ElementsAre(Ask(0, step)));
    hand[0].update_version = Version(step);
    EXPECT_THAT(hand.Take(), ElementsAre(AskAttack(0, 8))) << step;
  }
}

TEST(SyncPlan, WhereAPassAttacksTheAdversarialOneWaitsForItAndNothingElseAttacks) {
  PlanOptions options = Sync(0);
  options.streams = CleanAttackAndAdversarial();
  const auto pass = [](uint64_t stream) -> Action {
    return {0, ActionKind::kPass, std::nullopt, StreamIndex(stream)};
  };
  Hand hand(options, 1, 4);
  EXPECT_THAT(hand.Take(), ElementsAre(Ask(0, 4)));
  hand[0].update_version = Version(4);
  EXPECT_THAT(hand.Take(), ElementsAre(pass(0), pass(1)));
  EXPECT_THAT(hand.Take(), IsEmpty());
  hand[0].attack = hand[0].passes[1] = Stage::kDone;
  EXPECT_THAT(hand.Take(), ElementsAre(pass(2)));
}

TEST(SyncPlan, WithoutAttacksThereIsOneCleanPass) {
  PlanOptions options = Sync(0);
  options.streams = CleanStream();
  Hand hand(options, 1);
  EXPECT_THAT(hand.Take(), ElementsAre(Ask(0, 0)));
  hand[0].update_version = Version(0);
  EXPECT_THAT(hand.Take(), ElementsAre(Clean(0)));
  hand[0].passes[0] = Stage::kDone;
  EXPECT_TRUE(hand[0].computed(options));
}

TEST(SyncPlan, AFullPushWindowHoldsUpdatesBackButNotAttacks) {
  PlanOptions options = Sync(1);
  options.push_window = 3;
  Hand hand(options, 4);
  hand.Take();
  for (size_t i = 0; i < 4; ++i) hand[i].update_version = hand[i].attack_version = Version(0);
  EXPECT_THAT(hand.Next(/*in_flight=*/2),
              ElementsAre(Attack(0), Clean(0), Attack(1), Attack(2), Attack(3)));
  EXPECT_THAT(hand.Next(/*in_flight=*/1),
              ElementsAre(Attack(0), Clean(0), Attack(1), Clean(1), Attack(2), Attack(3)));
}

TEST(SyncPlan, TheFirstUnitGoesOnThoughThePushWindowIsFull) {
  PlanOptions options = Sync(1);
  options.push_window = 3;
  Hand hand(options, 2);
  hand.Take();
  for (size_t i = 0; i < 2; ++i) hand[i].update_version = hand[i].attack_version = Version(0);
  EXPECT_THAT(hand.Take(/*in_flight=*/3), ElementsAre(Attack(0), Clean(0), Attack(1)));
  hand[0].attack = hand[1].attack = Stage::kDone;
  EXPECT_THAT(hand.Take(/*in_flight=*/4), ElementsAre(Adversarial(0)));
  EXPECT_THAT(hand.Take(/*in_flight=*/5), IsEmpty());
}

// A server that holds one of its streams frees nothing before the other has come.
TEST(SyncPlan, AUnitThatHasBegunIsCompletedThoughThePushWindowIsFull) {
  PlanOptions options = Sync(1);
  options.push_window = 2;
  Hand hand(options, 3);
  hand.Take();
  for (size_t i = 0; i < 3; ++i) {
    hand[i].update_version = hand[i].attack_version = Version(0);
    hand[i].attack = Stage::kDone;
  }
  hand[1].passes[0] = Stage::kDone;
  EXPECT_THAT(hand.Take(/*in_flight=*/2), ElementsAre(Clean(0), Adversarial(0), Adversarial(1)));
}

TEST(LoadPlan, ExamplesAreAskedForInOrderUpToTheWindowAndOnce) {
  PlanOptions options = Sync(1);
  options.load_window = 2;
  Hand hand(options, 4);
  for (size_t i = 0; i < 4; ++i) hand[i].examples = Stage::kIdle;
  EXPECT_THAT(hand.Take(), IsSupersetOf({Load(0), Load(1)}));
  EXPECT_THAT(hand.Take(), IsEmpty());
}

TEST(LoadPlan, NeitherAttackNorCleanPassBeginsBeforeTheExamplesAreThere) {
  Hand hand(Sync(1), 1);
  hand[0].examples = Stage::kIdle;
  hand.Take();
  hand[0].update_version = hand[0].attack_version = Version(0);
  EXPECT_THAT(hand.Take(), IsEmpty());
  EXPECT_EQ(hand.Cause(), WaitCause::kData);
  hand[0].examples = Stage::kDone;
  EXPECT_THAT(hand.Take(), ElementsAre(Attack(0), Clean(0)));
}

TEST(LoadPlan, AUnitMakesRoomWhenAttackAndCleanPassAreDone) {
  PlanOptions options = Sync(1);
  options.load_window = 1;
  Hand hand(options, 2);
  hand[1].examples = Stage::kIdle;
  hand.Take();
  hand[0].attack = Stage::kDone;
  EXPECT_THAT(hand.Take(), IsEmpty());
  hand[0].passes[0] = Stage::kDone;
  EXPECT_THAT(hand.Take(), ElementsAre(Load(1)));
}

TEST(LoadPlan, TheFirstUnitsExamplesAreLoadedThoughLaterOnesKeepTheirs) {
  PlanOptions options = Sync(1);
  options.load_window = 1;
  Hand hand(options, 3);
  hand[0].examples = Stage::kIdle;  // granted after the others
  EXPECT_THAT(hand.Take(), Contains(Load(0)));
}

TEST(AsyncPlan, AUnitIsUpdatedWithTheLatestWhenItsTurnComes) {
  Hand hand(Async(1), 3);
  EXPECT_THAT(hand.Take(), ElementsAre(AskLatest(0)));
  hand[0].update_version = Version(6);
  hand.seen.See(Version(6));
  hand.Take();
  EXPECT_THAT(hand.Next(), Not(Contains(AskLatest(1))));
  hand[0].passes[0] = hand[0].passes[1] = Stage::kDone;
  EXPECT_THAT(hand.Take(), Contains(AskLatest(1)));
}

TEST(AsyncPlan, WithoutStalenessTheAttackUsesTheUpdatesOwnVersion) {
  Hand hand(Async(0), 2);
  hand.Take();
  EXPECT_THAT(hand.Take(), IsEmpty());
  hand[0].update_version = Version(6);
  hand.seen.See(Version(6));
  EXPECT_THAT(hand.Take(), ElementsAre(AskAttack(0, 6), Clean(0)));
}

TEST(AsyncPlan, TheNextUnitIsAttackedWhileTheCurrentOneIsComputed) {
  Hand hand(Async(2), 3);
  hand.seen.See(Version(3));
  hand.seen.See(Version(6));
  // Its update is expected to use version 9.
  EXPECT_THAT(hand.Take(), ElementsAre(AskLatest(0), AskAttack(1, 6)));
}

TEST(AsyncPlan, AttackAheadIsNeverOfAVersionThatIsNotThere) {
  SeenVersions seen;
  seen.See(Version(0));
  EXPECT_EQ(AttackAhead(seen, 1), Version(0));
  seen.See(Version(1));
  EXPECT_EQ(AttackAhead(seen, 1), Version(1));
  EXPECT_EQ(AttackAhead(seen, 2), Version(0));
  EXPECT_EQ(AttackAhead(seen, 9), Version(0));
  seen.See(Version(11));
  EXPECT_EQ(AttackAhead(seen, 4), Version(11));  // 21 is expected
  EXPECT_EQ(AttackAhead(seen, 14), Version(7));
  seen.See(Version(5));  // an answer that was overtaken
  EXPECT_EQ(AttackAhead(seen, 14), Version(7));
}

TEST(WaitCauses, TheOldestUnitThatDoesNotRunIsWhatIsWaitedFor) {
  Hand hand(Sync(1), 2);
  EXPECT_EQ(Hand(Sync(1), 0).Cause(), WaitCause::kLease);
  EXPECT_EQ(hand.Cause(), WaitCause::kWeights);
  hand[0].update_version = Version(0);
  hand[0].passes[0] = Stage::kRunning;
  EXPECT_EQ(hand.Cause(), WaitCause::kWeights);  // the second unit's
  hand[0].passes[0] = Stage::kDone;
  EXPECT_EQ(hand.Cause(), WaitCause::kAttack);
  hand[0].attack = Stage::kDone;
  hand[0].passes[1] = Stage::kDone;
  EXPECT_EQ(hand.Cause(), WaitCause::kPush);
}

}  // namespace
}  // namespace conadv
