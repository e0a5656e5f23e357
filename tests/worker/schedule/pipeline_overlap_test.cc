// SPDX-License-Identifier: Apache-2.0
// Gradients that leave while their pass goes on.
#include <gtest/gtest.h>

#include "tests/worker/schedule/pipeline_fixture.h"

namespace conadv {
namespace {

class PipelineOverlapTest : public PipelineTest {
 protected:
  PipelineOverlapTest() { compute_.tells = true; }

  static PlanOptions OneStream() {
    PlanOptions options;
    options.streams = {{"clean"}};
    return options;
  }
  void BeginUnit() {
    Make(OneStream(), 1);
    pipeline_->Grant({At(0)}, kLineage);
    Await([&] { return !pulls_.empty(); });
    AnswerPull(0);
  }
};

TEST_F(PipelineOverlapTest, APushIsOpenWhileItsPassGoesOn) {
  compute_.after_tensor = [this] {
    MutexLock lock(&mutex_);
    EXPECT_EQ(pushes_.size(), 1U);
    EXPECT_EQ(ready_, std::vector<size_t>{3});
    EXPECT_EQ(finished_, 0);
  };
  BeginUnit();
  Await([&] { return finished_ == 1; });
  {
    MutexLock lock(&mutex_);
    ASSERT_EQ(headers_.size(), 1U);
    EXPECT_EQ(headers_[0].loss, 0.75F);
    EXPECT_EQ(headers_[0].accuracy, 0.5F);
  }
  AnswerPush(0);
  Await([&] { return done_.count(At(0)) == 1; });
}

TEST_F(PipelineOverlapTest, APassThatFailsOnTheWayAbandonsItsPushAndFailsItsUnitAlone) {
  compute_.poisoned = At(0);
  BeginUnit();
  Await([&] { return abandoned_ == 1; });
  AnswerPush(0, absl::CancelledError("given up"));
  {
    MutexLock lock(&mutex_);
    EXPECT_EQ(failed_, std::vector<Unit>{At(0)});
    EXPECT_TRUE(broken_.empty());
    EXPECT_EQ(finished_, 0);
  }
  pipeline_->Grant({At(1)}, kLineage);
  Await([&] { return !pulls_.empty(); });
  AnswerPull(0);
  Await([&] { return finished_ == 1; });
}

TEST_F(PipelineOverlapTest, APushThatIsAnsweredBeforeItsPassIsOverCounts) {
  compute_.after_tensor = [this] { AnswerPush(0); };
  BeginUnit();
  Await([&] { return done_.count(At(0)) == 1 && finished_ == 1; });
  EXPECT_EQ(pipeline_->units_in_hand(), 0U);
}

TEST_F(PipelineOverlapTest, AServerThatGoesAwayDuringAPassBreaksTheSession) {
  compute_.after_tensor = [this] { AnswerPush(0, absl::UnavailableError("gone")); };
  BeginUnit();
  Await([&] { return !broken_.empty(); });
  pipeline_->Drop();
}

}  // namespace
}  // namespace conadv
