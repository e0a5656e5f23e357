// SPDX-License-Identifier: Apache-2.0
#include "cli/progress/progress.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "cli/format/tables.h"
#include "cli/progress/progress_display.h"

namespace conadv {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Le;
using ::testing::Not;
using ::testing::StartsWith;

constexpr absl::Time kNow = absl::FromUnixSeconds(1000);

v1::MetricsRecord Step(uint64_t version, double seconds) {
  v1::MetricsRecord record;
  record.mutable_step()->set_version(version);
  record.mutable_step()->set_seconds(seconds);
  record.mutable_step()->set_clean_loss(0.5);
  record.mutable_step()->set_adversarial_loss(0.75);
  record.mutable_step()->set_attack_staleness(1);
  return record;
}

ProgressState Halfway() {
  ProgressState state;
  state.phase = "waiting for the first step";
  state.final_version = 200;
  state.global_batch = 64;
  state.adversarial = true;
  Apply(Step(100, 50), kNow, &state);
  return state;
}

TEST(Progress, HasStepLossSpeedStalenessAndTimeLeft) {
  EXPECT_EQ(ProgressLine(Halfway(), kNow),
            "step 100/200 50%, loss 0.500 / adv 0.750, ETA 0:50, 128 examples/s, staleness attack "
            "1.0 update 0.0");
}

TEST(Progress, TheTimeLeftCountsDownBetweenUpdatesAndNotBelowZero) {
  EXPECT_EQ(TimeLeft(Halfway(), kNow), absl::Seconds(50));
  EXPECT_EQ(TimeLeft(Halfway(), kNow + absl::Seconds(5)), absl::Seconds(45));
  ProgressState state = Halfway();
  Apply(Step(199, 50), kNow, &state);
  EXPECT_EQ(TimeLeft(state, kNow + absl::Seconds(5)), absl::ZeroDuration());
  EXPECT_EQ(TimeLeft(ProgressState(), kNow), std::nullopt);
}

TEST(Progress, WhileNobodyMakesProgressThereIsNoTimeLeft) {
  EXPECT_EQ(TimeLeft(Halfway(), kNow + absl::Hours(1)), std::nullopt);
  EXPECT_THAT(ProgressLine(Halfway(), kNow + absl::Hours(1)), HasSubstr("ETA –"));
  ProgressState state = Halfway();
  state.waiting_for = "server-1";
  EXPECT_THAT(ProgressLine(state, kNow),
              AllOf(HasSubstr("waiting for server-1"), Not(HasSubstr("ETA"))));
  Apply(Step(101, 51), kNow, &state);
  EXPECT_THAT(ProgressLine(state, kNow), HasSubstr("ETA 0:"));
}

TEST(Progress, BeforeTheFirstStepThereIsAPhaseAndNoSpeed) {
  ProgressState state;
  state.phase = "starting";
  EXPECT_EQ(ProgressLine(state, kNow), "step 0, starting");
  EXPECT_EQ(state.examples_per_second(), 0);
}

TEST(Progress, WithoutAttackNothingIsSaidAboutIt) {
  ProgressState state = Halfway();
  state.adversarial = false;
  EXPECT_THAT(ProgressLine(state, kNow), AllOf(Not(HasSubstr("adv")), Not(HasSubstr("attack"))));
}

TEST(Progress, SeveralUpdatesMakeAStep) {
  ProgressState state = Halfway();
  state.updates_per_step = 4;
  EXPECT_THAT(ProgressLine(state, kNow), StartsWith("step 25/50 50%"));
  EXPECT_EQ(state.examples_per_second(), 32);
}

TEST(Progress, AnEvaluationIsShownAndTheLastStepIsNotYetTheEnd) {
  ProgressState state = Halfway();
  v1::MetricsRecord evaluation;
  evaluation.mutable_evaluation()->set_clean_accuracy(0.875);
  Apply(evaluation, kNow, &state);
  Apply(Step(200, 100), kNow, &state);
  EXPECT_THAT(ProgressLine(state, kNow), AllOf(HasSubstr("clean 87.5%"), HasSubstr("evaluating")));
  EXPECT_EQ(state.robust_accuracy, std::nullopt);
}

TEST(Progress, TheBarFitsItsWidth) {
  for (size_t width = 1; width < 200; ++width) {
    EXPECT_THAT(DisplayWidth(ProgressBar(Halfway(), kNow, width)), Le(width)) << width;
  }
}

TEST(Progress, TheBarIsHalfFullHalfway) {
  EXPECT_THAT(ProgressBar(Halfway(), kNow, 60), StartsWith("[========         ] step 100/200 50%"));
}

TEST(ProgressDisplay, RedrawsOneLineOfATerminalAtMostTenTimesASecond) {
  std::ostringstream out;
  ProgressDisplay display(&out, [] { return size_t{40}; });
  ProgressState state = Halfway();
  display.Show(state, kNow);
  const std::string first = out.str();
  EXPECT_THAT(first, StartsWith("\r\033[K"));
  EXPECT_THAT(first, Not(HasSubstr("\n")));
  state.version = 101;
  display.Show(state, kNow + absl::Milliseconds(99));
  EXPECT_EQ(out.str(), first);
  display.Show(state, kNow + absl::Milliseconds(100));
  EXPECT_NE(out.str(), first);
}

TEST(ProgressDisplay, ElsewhereALineNowAndThen) {
  std::ostringstream out;
  ProgressDisplay display(&out, nullptr);
  display.Show(Halfway(), kNow);
  display.Show(Halfway(), kNow + absl::Seconds(1));
  display.Note("coordinator: a:1");
  EXPECT_EQ(out.str(), ProgressLine(Halfway(), kNow) + "\ncoordinator: a:1\n");
}

}  // namespace
}  // namespace conadv
