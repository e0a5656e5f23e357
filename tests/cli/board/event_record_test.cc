// SPDX-License-Identifier: Apache-2.0
#include "cli/board/event_record.h"

#include <gtest/gtest.h>

#include <string>

namespace conadv {
namespace {

// The crc32c of "123456789" is 0xe3069283.
TEST(MaskedCrc32c, IsTheRotatedCrcAndAConstant) {
  EXPECT_EQ(MaskedCrc32c("123456789"), 0xc78ab0e5);
  EXPECT_EQ(MaskedCrc32c(""), 0xa282ead8);
}

TEST(EventRecord, FramesTheEventWithItsLengthAndBothCrcs) {
  tensorboard::Event event;
  event.set_step(3);
  const std::string bytes("\x10\x03", 2);
  const std::string length("\x02\0\0\0\0\0\0\0", 8);
  const std::string record = EventRecord(event);
  ASSERT_EQ(record.size(), 8 + 4 + 2 + 4);
  EXPECT_EQ(record.substr(0, 8), length);
  EXPECT_EQ(record.substr(12, 2), bytes);
  const auto crc_at = [&](size_t at) {
    uint32_t crc = 0;
    for (size_t i = 4; i-- > 0;) crc = crc << 8 | static_cast<uint8_t>(record[at + i]);
    return crc;
  };
  EXPECT_EQ(crc_at(8), MaskedCrc32c(length));
  EXPECT_EQ(crc_at(14), MaskedCrc32c(bytes));
}

TEST(FirstEvent, SaysTheVersionOfTheFormat) {
  const tensorboard::Event event = FirstEvent(absl::FromUnixMillis(1500));
  EXPECT_EQ(event.file_version(), "brain.Event:2");
  EXPECT_EQ(event.wall_time(), 1.5);
}

}  // namespace
}  // namespace conadv
