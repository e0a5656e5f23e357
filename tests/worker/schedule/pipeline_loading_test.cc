// SPDX-License-Identifier: Apache-2.0
// The pipeline and the threads that load examples.
#include <vector>

#include "tests/support/gate.h"
#include "tests/worker/schedule/pipeline_fixture.h"

namespace conadv {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST_F(PipelineTest, NoMoreExamplesAreThereThanTheWindowHasRoomFor) {
  PlanOptions options = SomeOptions();
  options.streams = CleanStream();
  options.load_window = 3;
  Make(options, 1);
  std::vector<Unit> units;
  for (uint64_t slot = 0; slot < 12; ++slot) units.push_back(At(0, slot));
  pipeline_->Grant(units, kLineage);
  Await([&] { return pulls_.size() == 1; });
  AnswerPull(0);
  for (size_t i = 0; i < units.size(); ++i) {
    Await([&] { return !pushes_.empty(); });
    AnswerPush(0);
  }
  executor_->Stop();  // and waits for what runs
  EXPECT_EQ(compute_.loads, 12);
  // A unit may be done a moment before its lane knows.
  EXPECT_LE(compute_.most_batches, 4);
  EXPECT_EQ(compute_.batches, 0);
}

TEST_F(PipelineTest, ExamplesThatCannotBeReadFailTheirUnitAlone) {
  PlanOptions options = SomeOptions();
  options.streams = CleanStream();
  Make(options, 1);
  compute_.unreadable = At(0, 1);
  pipeline_->Grant({At(0, 0), At(0, 1), At(0, 2)}, kLineage);
  Await([&] { return pulls_.size() >= 1 && failed_.size() == 1; });
  AnswerPull(0);
  Await([&] { return pushes_.size() == 2; });
  AnswerPush(0);
  AnswerPush(0);
  EXPECT_THAT(failed_, ElementsAre(At(0, 1)));
  EXPECT_THAT(done_, ElementsAre(At(0, 0), At(0, 2)));
  EXPECT_THAT(broken_, IsEmpty());
}

TEST_F(PipelineTest, WhatIsLoadedForADroppedUnitComesToNothing) {
  PlanOptions options = SomeOptions();
  options.streams = CleanStream();
  Make(options, 1);
  Gate loading, go;
  compute_.before_load = [&] {
    loading.Open();
    go.Wait();
  };
  pipeline_->Grant({At(0, 0), At(0, 1)}, kLineage);
  loading.Wait();
  pipeline_->Drop();
  cache_->Clear();
  go.Open();
  pipeline_->Grant({At(0, 2)}, kLineage);
  Await([&] { return !pulls_.empty(); });
  while (!pulls_.empty()) AnswerPull(0);
  Await([&] { return pushes_.size() == 1; });
  EXPECT_EQ(pushes_[0].header.unit, At(0, 2));
  // The second unit's were not begun any more.
  EXPECT_EQ(compute_.loads, 2);
  EXPECT_THAT(failed_, IsEmpty());
}

}  // namespace
}  // namespace conadv
