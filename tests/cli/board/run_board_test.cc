// SPDX-License-Identifier: Apache-2.0
#include "cli/board/run_board.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/support/fake_clock.h"
#include "tests/support/small_disk.h"
#include "tests/support/temp_dir.h"

namespace conadv {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class RunBoardTest : public ::testing::Test {
 protected:
  static TrainingOptions Training() {
    TrainingOptions training;
    training.global_batch = 2;
    training.slots = 1;
    return training;
  }

  const TempDir directory_;
  SmallDisk disk_;
  FakeClock clock_;
  std::vector<std::string> notes_;
  RunBoard board_{directory_ / "tensorboard",
                  "host",
                  Training(),
                  &disk_,
                  &clock_,
                  [this](const std::string& note) { notes_.push_back(note); }};
};

TEST_F(RunBoardTest, AFullDiskIsSaidOnceAndSoIsItsEnd) {
  board_.Begin(0, 5, 0);
  disk_.room = 0;
  for (int i = 0; i < 3; ++i) {
    board_.Write();
    clock_.now += absl::Seconds(2);
  }
  EXPECT_THAT(notes_, ElementsAre(AllOf(HasSubstr("no space"), HasSubstr("training goes on"))));
  disk_.room = 1 << 20;
  board_.Write();
  board_.Write();
  ASSERT_EQ(notes_.size(), 2);
  EXPECT_THAT(notes_[1], HasSubstr("events.out.tfevents.0000000000.host is written again"));
}

TEST_F(RunBoardTest, AFullDiskIsNotTriedAgainAtEveryUpdateButIsAtTheEnd) {
  board_.Begin(0, 5, 0);
  disk_.room = 0;
  board_.Write();
  disk_.room = 1 << 20;
  board_.Write();
  EXPECT_EQ(notes_.size(), 1);
  board_.End();
  EXPECT_EQ(notes_.size(), 2);
}

TEST_F(RunBoardTest, WhatIsWrittenIsNotSpokenOf) {
  board_.Begin(0, 5, 0);
  board_.Write();
  EXPECT_THAT(disk_.List(directory_ / "tensorboard").value(),
              ElementsAre("events.out.tfevents.0000000000.host"));
  EXPECT_THAT(notes_, IsEmpty());
}

}  // namespace
}  // namespace conadv
