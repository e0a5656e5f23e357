// SPDX-License-Identifier: Apache-2.0
#include "cli/format/tables.h"

#include <gtest/gtest.h>

#include "common/base/printable.h"

namespace conadv {
namespace {

TEST(Tables, ColumnsAreAlignedNumbersToTheRight) {
  EXPECT_EQ(FormatTable({"NAME", "COUNT", "NOTE"}, {{"a", "7", "x"}, {"long name", "1234", ""}}),
            "NAME       COUNT  NOTE\n"
            "a              7  x\n"
            "long name   1234\n");
}

TEST(Tables, AShortRowIsFilledUpAndNoRowsAreAHeader) {
  EXPECT_EQ(FormatTable({"A", "B"}, {{"x"}}), "A  B\nx\n");
  EXPECT_EQ(FormatTable({"A", "B"}, {}), "A  B\n");
}

TEST(Tables, WidthIsCountedInCodePoints) {
  EXPECT_EQ(DisplayWidth("τ = 1"), 5U);
  EXPECT_EQ(FormatTable({"N", "X"}, {{"τ", "a"}, {"tau", "b"}}), "N    X\nτ    a\ntau  b\n");
}

TEST(Tables, PairsHaveTheirValuesInOneColumn) {
  EXPECT_EQ(FormatPairs({{"job", "a"}, {"version", "12"}}), "job      a\nversion  12\n");
}

TEST(Tables, ABarIsNeverEmptyForSomething) {
  EXPECT_EQ(Bar(0, 10), "");
  EXPECT_EQ(Bar(0.0001, 10), "#");
  EXPECT_EQ(Bar(0.5, 10), "#####");
  EXPECT_EQ(Bar(7, 10), "##########");
}

TEST(Tables, WhatAPeerSendsCannotSteerTheTerminal) {
  EXPECT_EQ(Printable("worker\033[2J\n"), "worker\\x1b[2J\\n");
}

TEST(Tables, SizesAndTimesHaveUnits) {
  EXPECT_EQ(FormatBytes(0), "0 B");
  EXPECT_EQ(FormatBytes(1023), "1023 B");
  EXPECT_EQ(FormatBytes(1536), "1.5 KiB");
  EXPECT_EQ(FormatBytes((uint64_t{1} << 20) - 1), "1.0 MiB");
  EXPECT_EQ(FormatBytes(UINT64_MAX), "16.0 EiB");
  EXPECT_EQ(FormatElapsed(absl::Seconds(7)), "0:07");
  EXPECT_EQ(FormatElapsed(absl::Seconds(754)), "12:34");
  EXPECT_EQ(FormatElapsed(absl::Seconds(3723)), "1:02:03");
  EXPECT_EQ(FormatElapsed(absl::Seconds(-1)), "0:00");
  EXPECT_EQ(FormatMicros(870), "870 us");
  EXPECT_EQ(FormatMicros(12300), "12.3 ms");
  EXPECT_EQ(FormatMicros(1250000), "1.25 s");
}

}  // namespace
}  // namespace conadv
