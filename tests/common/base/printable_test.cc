// SPDX-License-Identifier: Apache-2.0
#include "common/base/printable.h"

#include <gtest/gtest.h>

#include <string>

#include "common/base/random.h"
#include "nlohmann/json.hpp"

namespace conadv {
namespace {

TEST(Printable, TextStaysAsItIs) {
  for (const char* text : {"", "worker-0", "\"a\" \\ ~", "τ ≤ 63", "\U0001F600", "\u007e\u0080"}) {
    EXPECT_TRUE(IsPrintable(text)) << text;
    EXPECT_EQ(Printable(text), text);
  }
}

TEST(Printable, ControlCharactersCannotReachATerminal) {
  EXPECT_EQ(Printable("\x1b[2J\r\n"), "\\x1b[2J\\r\\n");
  EXPECT_EQ(Printable(std::string("a\0b\x7f", 4)), "a\\x00b\\x7f");
  EXPECT_FALSE(IsPrintable("a\n"));
}

TEST(Printable, WhatIsNotUtf8IsEscapedByteForByte) {
  EXPECT_EQ(Printable("a\xff\xfeü"), "a\\xff\\xfeü");
  EXPECT_EQ(Printable("\xc3"), "\\xc3") << "cut off";
  EXPECT_EQ(Printable("\xc0\xaf"), "\\xc0\\xaf") << "overlong";
  EXPECT_EQ(Printable("\xed\xa0\x80"), "\\xed\\xa0\\x80") << "a surrogate";
  EXPECT_EQ(Printable("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80") << "past U+10FFFF";
}

// JSON's strict writer refuses what is not UTF-8.
bool IsUtf8(const std::string& bytes) {
  try {
    return !nlohmann::json(bytes).dump().empty();
  } catch (const nlohmann::json::exception&) {
    return false;
  }
}

TEST(Printable, AgreesWithJsonAboutUtf8) {
  Random random(1, Purpose::kAugmentation);
  constexpr uint8_t kBytes[] = {0x41, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc1,
                                0xc2, 0xe0, 0xed, 0xef, 0xf0, 0xf4, 0xf5};
  int valid = 0;
  for (int round = 0; round < 20000; ++round) {
    std::string bytes(1 + random.Below(4), '\0');
    for (char& byte : bytes) byte = static_cast<char>(kBytes[random.Below(sizeof(kBytes))]);
    EXPECT_EQ(IsPrintable(bytes), IsUtf8(bytes)) << Printable(bytes);
    EXPECT_TRUE(IsPrintable(Printable(bytes))) << Printable(bytes);
    if (IsPrintable(bytes)) ++valid;
  }
  EXPECT_GT(valid, 100);
}

}  // namespace
}  // namespace conadv
