// SPDX-License-Identifier: Apache-2.0
#include "cli/board/event_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "cli/board/event_record.h"
#include "tests/support/small_disk.h"
#include "tests/support/temp_dir.h"

namespace conadv {
namespace {

constexpr absl::Time kNow = absl::FromUnixSeconds(1700000000);

TEST(NextEventFileName, ComesAfterEveryOtherEvenIfTheClockWentBack) {
  EXPECT_EQ(NextEventFileName({}, kNow, "host"), "events.out.tfevents.1700000000.host");
  EXPECT_EQ(NextEventFileName({"events.out.tfevents.1700000000.a.b", "notes"}, kNow, "host"),
            "events.out.tfevents.1700000001.host");
  EXPECT_EQ(NextEventFileName({"events.out.tfevents.1800000000.z", "events.out.tfevents.x"}, kNow,
                              "host"),
            "events.out.tfevents.1800000001.host");
}

tensorboard::Event Event(int64_t step) {
  tensorboard::Event event;
  event.set_step(step);
  event.mutable_summary();
  return event;
}

class EventFileTest : public ::testing::Test {
 protected:
  static std::string Records(int64_t last) {
    std::string records = EventRecord(FirstEvent(kNow));
    for (int64_t step = 1; step <= last; ++step) records += EventRecord(Event(step));
    return records;
  }

  const TempDir directory_;
  SmallDisk disk_;
  EventFile file_{directory_ / "run/tensorboard", "host", &disk_};
};

TEST_F(EventFileTest, WithoutAnEventThereIsNoFile) {
  EXPECT_TRUE(file_.Flush(kNow).ok());
  EXPECT_FALSE(disk_.Exists(directory_ / "run"));
}

TEST_F(EventFileTest, WhatIsAppendedIsThereAfterEachFlush) {
  file_.Append(Event(1));
  ASSERT_TRUE(file_.Flush(kNow).ok());
  EXPECT_EQ(ReadFile(file_.path()), Records(1));
  file_.Append(Event(2));
  file_.Append(Event(3));
  ASSERT_TRUE(file_.Flush(kNow).ok());
  EXPECT_EQ(ReadFile(file_.path()), Records(3));
}

TEST_F(EventFileTest, AFullDiskCostsNoEventOnceThereIsRoom) {
  file_.Append(Event(1));
  disk_.room = 10;
  EXPECT_FALSE(file_.Flush(kNow).ok());
  disk_.room = 1000;
  ASSERT_TRUE(file_.Flush(kNow).ok());
  file_.Append(Event(2));
  disk_.room = 3;
  EXPECT_FALSE(file_.Flush(kNow).ok());
  file_.Append(Event(3));
  disk_.room = 1000;
  ASSERT_TRUE(file_.Flush(kNow).ok());
  EXPECT_EQ(ReadFile(file_.path()), Records(3));
}

TEST_F(EventFileTest, WhatWaitsIsBoundedAndABeginningIsNeverLost) {
  tensorboard::Event large = Event(1);
  large.mutable_summary()->add_value()->set_tag(std::string(10 << 20, 'x'));
  file_.Append(large);
  EXPECT_EQ(file_.lost(), 0);
  file_.Append(large);
  EXPECT_EQ(file_.lost(), 1);
  disk_.room = 100 << 20;
  tensorboard::Event begins;
  begins.mutable_session_log();
  large.clear_summary();
  begins.set_step(2);
  file_.Append(begins);
  ASSERT_TRUE(file_.Flush(kNow).ok());
  const std::string text = ReadFile(file_.path());
  EXPECT_EQ(text.substr(text.size() - EventRecord(begins).size()), EventRecord(begins));
}

TEST_F(EventFileTest, AnotherFileLeavesTheFirstAsItIs) {
  file_.Append(Event(1));
  ASSERT_TRUE(file_.Flush(kNow).ok());
  EventFile second(directory_ / "run/tensorboard", "host", &disk_);
  second.Append(Event(1));
  ASSERT_TRUE(second.Flush(kNow).ok());
  EXPECT_LT(file_.path(), second.path());
  EXPECT_EQ(ReadFile(file_.path()), Records(1));
}

}  // namespace
}  // namespace conadv
