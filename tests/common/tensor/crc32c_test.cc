// SPDX-License-Identifier: Apache-2.0
#include "common/tensor/crc32c.h"

#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace conadv {
namespace {

uint32_t Crc(const std::string& bytes) { return ExtendCrc32c(0, bytes.data(), bytes.size()); }

// RFC 3720, appendix B.4, and the catalogue's check value for "123456789".
TEST(Crc32cTest, GivesTheKnownAnswers) {
  std::string rising(32, '\0');
  for (int i = 0; i < 32; ++i) rising[i] = static_cast<char>(i);
  EXPECT_EQ(Crc(std::string(32, '\0')), 0x8a9136aa);
  EXPECT_EQ(Crc(std::string(32, '\xff')), 0x62a8ab43);
  EXPECT_EQ(Crc(rising), 0x46dd794e);
  EXPECT_EQ(Crc(std::string(rising.rbegin(), rising.rend())), 0x113fdb5c);
  EXPECT_EQ(Crc("123456789"), 0xe3069283);
}

TEST(Crc32cTest, OfNothingIsZero) { EXPECT_EQ(ExtendCrc32c(0, nullptr, 0), 0); }

TEST(Crc32cTest, ExtendsOverAnyCut) {
  const std::string text = "The whole is the crc of its parts, one after the other.";
  for (size_t cut = 0; cut <= text.size(); ++cut) {
    const uint32_t first = ExtendCrc32c(0, text.data(), cut);
    EXPECT_EQ(ExtendCrc32c(first, text.data() + cut, text.size() - cut), Crc(text));
  }
}

}  // namespace
}  // namespace conadv
