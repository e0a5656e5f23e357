// SPDX-License-Identifier: Apache-2.0
#include "cli/board/run_events.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>

namespace conadv {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr absl::Time kBegin = absl::FromUnixSeconds(7);

TrainingOptions Training() {
  TrainingOptions training;
  training.global_batch = 64;
  training.slots = 2;
  return training;
}

v1::MetricsRecord Step(uint64_t version, double seconds = 0) {
  v1::MetricsRecord record;
  v1::MetricsRecord::Step* const step = record.mutable_step();
  step->set_step(version - 1);
  step->set_version(version);
  step->set_clean_loss(0.5);
  step->set_adversarial_loss(0.75);
  step->set_attack_staleness(static_cast<double>(std::min<uint64_t>(version - 1, 2)));
  step->set_seconds(seconds);
  return record;
}

std::map<std::string, float> ScalarsOf(const tensorboard::Event& event) {
  std::map<std::string, float> scalars;
  for (const auto& value : event.summary().value()) {
    if (!value.has_histo()) scalars[value.tag()] = value.simple_value();
  }
  return scalars;
}

std::map<std::string, tensorboard::Histogram> HistogramsOf(const tensorboard::Event& event) {
  std::map<std::string, tensorboard::Histogram> histograms;
  for (const auto& value : event.summary().value()) {
    if (value.has_histo()) histograms[value.tag()] = value.histo();
  }
  return histograms;
}

class RunEventsTest : public ::testing::Test {
 protected:
  tensorboard::Event Take(const v1::MetricsRecord& record) {
    const RunEvents::Events events = events_.Take(record, kBegin);
    return events.size() == 1 ? events[0] : tensorboard::Event();
  }
  // Updates up to `last`; the event of the last.
  tensorboard::Event TakeUpTo(uint64_t last) {
    tensorboard::Event event;
    while (version_ < last) {
      ++version_;
      event = Take(Step(version_, 0.5 * static_cast<double>(version_)));
    }
    return event;
  }

  RunEvents events_{Training()};
  uint64_t version_ = 0;
};

TEST_F(RunEventsTest, AnUpdateIsAnEventAtItsVersion) {
  events_.Begin(0, 100, 0, kBegin);
  const tensorboard::Event event = Take(Step(3));
  EXPECT_EQ(event.step(), 3);
  EXPECT_EQ(event.wall_time(), 7);
  const std::map<std::string, float> scalars = ScalarsOf(event);
  EXPECT_EQ(scalars.at("loss/clean"), 0.5F);
  EXPECT_EQ(scalars.at("loss/adversarial"), 0.75F);
  EXPECT_EQ(scalars.at("staleness/attack_mean"), 2);
}

TEST_F(RunEventsTest, AnUpdateHasACosineOfItsAttackOnlyIfItWasMeasured) {
  EXPECT_EQ(ScalarsOf(Take(Step(3))).count("staleness/attack_cosine"), 0);
  v1::MetricsRecord measured = Step(4);
  measured.mutable_step()->set_attack_cosine(0.25);
  EXPECT_EQ(ScalarsOf(Take(measured)).at("staleness/attack_cosine"), 0.25F);
}

TEST_F(RunEventsTest, WithoutAnAttackNothingIsSaidOfOne) {
  TrainingOptions training = Training();
  training.algorithm = Algorithm::kVanilla;
  RunEvents events(training);
  events.Begin(0, 1, 0, kBegin);
  const RunEvents::Events taken = events.Take(Step(1), kBegin);
  ASSERT_THAT(taken, SizeIs(1));
  EXPECT_EQ(ScalarsOf(taken[0]).count("loss/adversarial"), 0);
  EXPECT_EQ(HistogramsOf(taken[0]).count("staleness/attack"), 0);
  EXPECT_EQ(HistogramsOf(taken[0]).count("staleness/update"), 1);
}

TEST_F(RunEventsTest, AnEvaluationHasRobustAccuracyOnlyIfItWasMeasured) {
  v1::MetricsRecord record;
  record.mutable_evaluation()->set_version(9);
  record.mutable_evaluation()->set_clean_accuracy(0.5);
  EXPECT_EQ(Take(record).step(), 9);
  EXPECT_EQ(ScalarsOf(Take(record)).at("evaluation/clean_accuracy"), 0.5F);
  EXPECT_EQ(ScalarsOf(Take(record)).count("evaluation/robust_accuracy"), 0);
  record.mutable_evaluation()->set_robust(true);
  EXPECT_EQ(ScalarsOf(Take(record)).count("evaluation/robust_accuracy"), 1);
}

TEST_F(RunEventsTest, AnEvaluationHasAScalarForEachAttackAndCorruption) {
  v1::MetricsRecord record;
  v1::NamedAccuracy* const attack = record.mutable_evaluation()->add_attacks();
  attack->set_name("APGD-CE");
  attack->set_accuracy(0.5);
  v1::NamedAccuracy* const fog = record.mutable_evaluation()->add_corruptions();
  fog->set_name("fog");
  fog->set_accuracy(0.25);
  record.mutable_evaluation()->add_warnings("masked");
  const auto scalars = ScalarsOf(Take(record));
  EXPECT_EQ(scalars.at("evaluation/after/APGD-CE"), 0.5F);
  EXPECT_EQ(scalars.at("evaluation/corrupted/fog"), 0.25F);
  EXPECT_EQ(scalars.at("evaluation/warnings"), 1);
}

TEST_F(RunEventsTest, EveryUpdateIsInOneHistogram) {
  events_.Begin(0, 25, 0, kBegin);
  EXPECT_THAT(HistogramsOf(TakeUpTo(9)), IsEmpty());
  auto attack = HistogramsOf(TakeUpTo(10)).at("staleness/attack");
  EXPECT_THAT(attack.bucket(), ElementsAre(1, 1, 8));
  attack = HistogramsOf(TakeUpTo(20)).at("staleness/attack");
  EXPECT_EQ(attack.num(), 10);
  attack = HistogramsOf(TakeUpTo(25)).at("staleness/attack");
  EXPECT_EQ(attack.num(), 5);
  EXPECT_THAT(events_.End(kBegin), IsEmpty());
}

TEST_F(RunEventsTest, ALongRunHasSomeFiftyHistograms) {
  events_.Begin(0, 1000, 0, kBegin);
  EXPECT_THAT(HistogramsOf(TakeUpTo(19)), IsEmpty());
  EXPECT_EQ(HistogramsOf(TakeUpTo(20)).at("staleness/update").num(), 20);
}

TEST_F(RunEventsTest, ExamplesPerSecondAreOfTheUpdatesSinceTheLastTime) {
  events_.Begin(0, 100, 0, kBegin);
  EXPECT_EQ(ScalarsOf(TakeUpTo(10)).at("examples_per_second"), 128);  // 64 in half a second
  TrainingOptions training = Training();
  training.consistency = Consistency::kAsync;  // an update has half the batch
  RunEvents events(training);
  events.Begin(10, 11, 4, kBegin);
  EXPECT_EQ(ScalarsOf(events.Take(Step(11, 5), kBegin)[0]).at("examples_per_second"), 32);
}

TEST_F(RunEventsTest, AnEndBeforeTheLastUpdateLosesNone) {
  events_.Begin(0, 100, 0, kBegin);
  TakeUpTo(4);
  const RunEvents::Events events = events_.End(kBegin);
  ASSERT_THAT(events, SizeIs(1));
  EXPECT_EQ(events[0].step(), 4);
  EXPECT_EQ(HistogramsOf(events[0]).at("staleness/update").num(), 4);
}

TEST_F(RunEventsTest, GoingBackVoidsWhatCameLaterAndNothingElse) {
  events_.Begin(0, 100, 0, kBegin);
  TakeUpTo(8);
  const RunEvents::Events events = events_.Begin(5, 100, 2.5, kBegin);
  ASSERT_THAT(events, SizeIs(1));
  EXPECT_EQ(events[0].session_log().status(), tensorboard::SessionLog::START);
  EXPECT_EQ(events[0].step(), 6);
  version_ = 5;
  EXPECT_THAT(HistogramsOf(TakeUpTo(9)), IsEmpty());
  EXPECT_EQ(HistogramsOf(TakeUpTo(10)).at("staleness/update").num(), 10);
}

}  // namespace
}  // namespace conadv
