// SPDX-License-Identifier: Apache-2.0
#include "worker/schedule/pipeline.h"

#include <algorithm>
#include <random>

#include "tests/support/streams.h"
#include "tests/worker/schedule/pipeline_fixture.h"

namespace conadv {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

TEST_F(PipelineTest, EveryUnitIsPushedOnceAStreamInAnyOrderOfEvents) {
  PlanOptions options = SomeOptions();
  options.tau = 2;
  options.lanes = 2;
  options.push_window = 5;
  options.load_window = 3;
  Make(options);
  std::minstd_rand random(7);
  std::vector<Unit> units;
  for (uint64_t step = 0; step < 12; ++step) {
    for (uint64_t slot = 0; slot < 4; ++slot) units.push_back(At(step, slot));
  }
  std::shuffle(units.begin(), units.end(), random);
  size_t granted = 0;
  // Units that came before all that were in hand: each goes on whatever else is under way.
  size_t firsts = 0;
  while (true) {
    size_t pulls = 0, pushes = 0;
    Await([&] {
      pulls = pulls_.size();
      pushes = pushes_.size();
      return pulls + pushes > 0 || granted < units.size() || done_.size() == units.size();
    });
    if (granted < units.size() && random() % 3 == 0) {
      bool first = true;
      for (size_t i = 0; i < granted; ++i) {
        MutexLock lock(&mutex_);
        first = first && (units[granted] < units[i] || done_.count(units[i]) > 0);
      }
      if (first) ++firsts;
      pipeline_->Grant({units[granted], units[granted]}, kLineage);  // a repeat is ignored
      ++granted;
    } else if (pulls > 0 && random() % 2 == 0) {
      AnswerPull(random() % pulls);
    } else if (pushes > 0) {
      AnswerPush(random() % pushes);
    } else if (granted == units.size() && pulls == 0) {
      break;
    }
  }
  EXPECT_EQ(done_.size(), units.size());
  EXPECT_EQ(pushed_.size(), 2 * units.size());
  for (const auto& [key, times] : pushed_) EXPECT_EQ(times, 1) << key.first;
  // A unit is begun only while the window has room, or if it is the first in hand; what has begun
  // may end, so the second streams of many units may be on their way at once.
  EXPECT_LE(most_unanswered_, options.push_window + firsts);
  for (const Contribution& header : headers_) {
    EXPECT_EQ(header.update_version.value(), header.unit.step.value());
    if (header.stream != kAdversarialStream) continue;
    EXPECT_EQ(header.attack_version, header.update_version.MinusOrZero(2));
  }
  executor_->Stop();  // and waits for what runs

  // Once for all passes.
  EXPECT_EQ(compute_.loads, units.size());
  EXPECT_EQ(compute_.batches, 0);
  EXPECT_EQ(pipeline_->units_in_hand(), 0);
  EXPECT_EQ(gradients_.in_use(), 0);
}

TEST_F(PipelineTest, AUnitIsDoneWhenAllStreamsOfItsListAreAcknowledged) {
  PlanOptions options = SomeOptions();
  options.streams = ThreeStreams();
  Make(options, 1);
  pipeline_->Grant({At(0)}, kLineage);
  Await([&] { return pulls_.size() == 1; });
  AnswerPull(0);
  Await([&] { return pushes_.size() == 3; });
  for (uint64_t stream = 0; stream < 3; ++stream) {
    EXPECT_EQ(pushed_.count({At(0), StreamIndex(stream)}), 1U) << stream;
  }
  AnswerPush(2);
  AnswerPush(1);
  EXPECT_THAT(done_, IsEmpty());
  AnswerPush(0);
  EXPECT_THAT(done_, ElementsAre(At(0)));
}

TEST_F(PipelineTest, APassThatAttacksMakesWhatTheAdversarialOneTakes) {
  PlanOptions options = SomeOptions();
  options.streams = CleanAttackAndAdversarial();
  Make(options, 1);
  pipeline_->Grant({At(3)}, kLineage);
  Await([&] { return pulls_.size() == 1; });  // no weights for an attack of its own
  AnswerPull(0);
  Await([&] { return pushes_.size() == 3; });
  EXPECT_EQ(compute_.attacks, 0);
  for (const Contribution& header : headers_) EXPECT_EQ(header.attack_version, Version(3));
  while (!pushes_.empty()) AnswerPush(0);
  EXPECT_THAT(done_, ElementsAre(At(3)));
}

TEST_F(PipelineTest, ReplaysTakeAllVersionsOfTheirBatchUnlessTheStepBeforeLeftTheImages) {
  PlanOptions options = SomeOptions();
  options.streams = AdversarialStream();
  options.replays = 4;
  Make(options, 1);
  // The third of its batch, from elsewhere: versions 4 and 5 besides its own.
  compute_.attack_weights = 2;
  pipeline_->Grant({At(6)}, kLineage);
  Await([&] { return pulls_.size() == 1; });
  EXPECT_EQ(pulls_[0].selector.value, 6U);
  AnswerPull(0);
  Await([&] { return pulls_.size() == 2; });
  EXPECT_EQ(pulls_[0].selector.value + pulls_[1].selector.value, 9U);
  AnswerPull(1);
  AnswerPull(0);
  Await([&] { return pushes_.size() == 1; });
  EXPECT_EQ(headers_[0].attack_version, Version(5));
  AnswerPush(0);
  // The fourth, where the third was.
  compute_.attack_weights = 0;
  compute_.replay = At(7);
  pipeline_->Grant({At(7)}, kLineage);
  Await([&] { return pulls_.size() == 1; });
  AnswerPull(0);
  Await([&] { return pushes_.size() == 1; });
  EXPECT_EQ(headers_[1].attack_version, Version(6));
  AnswerPush(0);
  // The first of the next batch: nothing has moved its images.
  pipeline_->Grant({At(8)}, kLineage);
  Await([&] { return pulls_.size() == 1; });
  AnswerPull(0);
  Await([&] { return pushes_.size() == 1; });
  EXPECT_EQ(headers_[2].attack_version, Version(8));
  AnswerPush(0);
  EXPECT_EQ(done_.size(), 3U);
}

TEST_F(PipelineTest, TheCleanGradientLeavesBeforeTheAttacksWeightsAreThere) {
  PlanOptions options = SomeOptions();
  options.tau = 1;
  Make(options, 1);
  pipeline_->Grant({At(5)}, kLineage);
  Await([&] { return pulls_.size() == 2; });
  AnswerPull(0);  // version 5
  Await([&] { return pushes_.size() == 1; });
  EXPECT_EQ(pushes_[0].header.stream, kCleanStream);
  AnswerPull(0);  // version 4
  Await([&] { return pushes_.size() == 2; });
  EXPECT_EQ(pushes_[1].header.attack_version, Version(4));
  AnswerPush(1);
  EXPECT_THAT(done_, IsEmpty());
  AnswerPush(0);
  EXPECT_THAT(done_, ElementsAre(At(5)));
}

TEST_F(PipelineTest, WithoutSyncTheAttackIsNeverNewerThanTheUpdate) {
  PlanOptions options = SomeOptions();
  options.sync = false;
  options.tau = 1;
  Make(options, 1);
  pipeline_->Grant({At(0), At(1)}, kLineage);
  Await([&] { return pulls_.size() == 1; });
  AnswerPull(0, Version(8));                   // the latest, for unit 0
  Await([&] { return pushes_.size() == 1; });  // its clean gradient
  // Version 7 for both attacks.
  Await([&] { return pulls_.size() == 1; });
  AnswerPull(0);
  Await([&] { return pushes_.size() == 2 && pulls_.size() == 1; });
  AnswerPull(0, Version(6));  // a shard lags: older than what unit 1 was attacked with
  Await([&] { return headers_.size() == 4; });
  for (const Contribution& header : headers_) {
    EXPECT_LE(header.attack_version, header.update_version);
    EXPECT_EQ(header.update_version, header.unit == At(0) ? Version(8) : Version(7));
  }
}

TEST_F(PipelineTest, APassThatFailsAndAPushThatIsRefusedFailTheirUnitAlone) {
  PlanOptions options = SomeOptions();
  options.streams = CleanStream();
  Make(options, 1);
  compute_.poisoned = At(0, 0);
  pipeline_->Grant({At(0, 0), At(0, 1), At(0, 2)}, kLineage);
  Await([&] { return pulls_.size() == 1; });
  AnswerPull(0);
  Await([&] { return pushes_.size() == 2 && failed_.size() == 1; });
  AnswerPush(0, absl::InvalidArgumentError("tensor a: not finite"));
  AnswerPush(0);
  EXPECT_THAT(failed_, ElementsAre(At(0, 0), At(0, 1)));
  EXPECT_THAT(done_, ElementsAre(At(0, 2)));
  EXPECT_THAT(broken_, IsEmpty());
}

TEST_F(PipelineTest, AServerThatIsGoneBreaksTheSessionOnceAndDropMakesAFreshStart) {
  PlanOptions options = SomeOptions();
  options.streams = CleanStream();
  Make(options, 1);
  pipeline_->Grant({At(0, 0), At(0, 1)}, kLineage);
  Await([&] { return pulls_.size() == 1; });
  AnswerPull(0);
  Await([&] { return pushes_.size() == 2; });
  AnswerPush(0, absl::UnavailableError("connection refused"));
  AnswerPush(0, absl::FailedPreconditionError("the step has not begun"));
  EXPECT_EQ(broken_.size(), 1);
  pipeline_->Drop();
  cache_->Clear();
  EXPECT_EQ(pipeline_->units_in_hand(), 0);
  pipeline_->Grant({At(0, 1)}, kLineage);
  Await([&] { return pulls_.size() == 1; });
  AnswerPull(0);
  Await([&] { return pushes_.size() == 1; });
  AnswerPush(0);
  EXPECT_THAT(done_, ElementsAre(At(0, 1)));
  EXPECT_EQ(broken_.size(), 1);
}

TEST_F(PipelineTest, WhatADroppedUnitStillHasUnderWayComesToNothing) {
  PlanOptions options = SomeOptions();
  options.streams = CleanStream();
  Make(options, 1);
  pipeline_->Grant({At(0)}, kLineage);
  Await([&] { return pulls_.size() == 1; });
  AnswerPull(0);
  Await([&] { return pushes_.size() == 1; });
  pipeline_->Drop();
  AnswerPush(0, absl::CancelledError("cancelled"));
  EXPECT_THAT(broken_, IsEmpty());
  EXPECT_THAT(done_, IsEmpty());
  EXPECT_EQ(gradients_.in_use(), 0);
}

TEST_F(PipelineTest, DrainFinishesWhatIsAlmostDoneAndNothingElse) {
  PlanOptions options = SomeOptions();
  options.tau = 1;
  Make(options, 1);
  pipeline_->Grant({At(3), At(4)}, kLineage);
  Await([&] { return pulls_.size() == 3; });  // versions 3, 2, 4
  AnswerPull(0);
  Await([&] { return pushes_.size() == 1; });  // unit 3 has begun
  pipeline_->Drain();
  EXPECT_EQ(pipeline_->units_in_hand(), 1);
  pipeline_->Grant({At(5)}, kLineage);
  EXPECT_EQ(pipeline_->units_in_hand(), 1);
  AnswerPull(0);  // version 2, for its attack
  Await([&] { return pushes_.size() == 2; });
  EXPECT_EQ(drained_, 0);
  AnswerPush(0);
  AnswerPush(0);
  EXPECT_EQ(drained_, 1);
  EXPECT_THAT(done_, UnorderedElementsAre(At(3)));
}

}  // namespace
}  // namespace conadv
