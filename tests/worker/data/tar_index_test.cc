// SPDX-License-Identifier: Apache-2.0
#include "worker/data/encoded/tar_index.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/worker/data/memory_file.h"
#include "tests/worker/data/tar_files.h"

namespace conadv {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Names, each with the bytes that lie at its offset.
std::vector<std::string> Members(const std::string& bytes) {
  const MemoryFile file(bytes);
  const auto index = ReadTarIndex(file);
  EXPECT_TRUE(index.ok()) << index.status();
  std::vector<std::string> members;
  if (!index.ok()) return members;
  for (const TarMember& member : *index) {
    members.push_back(absl::StrCat(member.name, "=", bytes.substr(member.offset, member.size)));
  }
  return members;
}

std::string IndexError(const std::string& bytes) {
  const MemoryFile file(bytes);
  const absl::Status status = ReadTarIndex(file).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
  return std::string(status.message());
}

TEST(TarIndex, SaysWhereMembersLie) {
  EXPECT_THAT(Members(TarMemberBytes("a.jpg", "one") + TarMemberBytes("dir/", "", '5') +
                      TarMemberBytes("./dir/b.cls", std::string(600, 'x')) +
                      TarMemberBytes("empty", "") + TarMemberBytes("old", "2", '\0') + TarEnd()),
              ElementsAre("a.jpg=one", "dir/b.cls=" + std::string(600, 'x'), "empty=", "old=2"));
  EXPECT_THAT(Members(TarEnd()), ElementsAre());
}

TEST(TarIndex, LongNamesComeInThreeWays) {
  const std::string name = std::string(120, 'n') + ".jpg";
  EXPECT_THAT(
      Members(TarMemberBytes("a.jpg", "1", '0', "pre/fix") +
              TarMemberBytes("././@LongLink", name + std::string(1, '\0'), 'L') +
              TarMemberBytes("cut", "2") +
              TarMemberBytes("PaxHeaders/x",
                             PaxRecord("mtime", "1.5") + PaxRecord("path", name + "2"), 'x') +
              TarMemberBytes("cut", "3") + TarMemberBytes("short", "4") + TarEnd()),
      ElementsAre("pre/fix/a.jpg=1", name + "=2", name + "2=3", "short=4"));
}

TEST(TarIndex, APaxSizeCountsAndAGlobalHeaderIsPassedOver) {
  std::string sized = TarMemberBytes("a", "123");
  sized.replace(0, 512, TarHeaderBlock("a", 0));
  EXPECT_THAT(Members(TarMemberBytes("g", PaxRecord("comment", "c"), 'g') +
                      TarMemberBytes("x", PaxRecord("size", "3"), 'x') + sized + TarEnd()),
              ElementsAre("a=123"));
}

TEST(TarIndex, SaysWhereItIsBroken) {
  const std::string member = TarMemberBytes("a.jpg", "one");
  std::string flipped = member;
  flipped[3] ^= 1;
  EXPECT_EQ(IndexError(member + flipped), "at byte 1024: no tar header, or its checksum is wrong");
  EXPECT_EQ(IndexError(""), "at byte 0: it is no tar file");
  EXPECT_EQ(IndexError(member), "at byte 1024: it is cut off: a tar file ends in zeros");
  EXPECT_EQ(IndexError(member.substr(0, 514)), "at byte 0: it is cut off in a member's bytes");
  EXPECT_EQ(IndexError(member.substr(0, 600)), "at byte 0: it is cut off after a member's bytes");
  EXPECT_THAT(IndexError("\x1f\x8b" + std::string(600, 'x')), HasSubstr("unpack it with gunzip"));
  EXPECT_THAT(IndexError(TarHeaderBlock("n", 2 << 20, 'L') + std::string(512, 'x')),
              HasSubstr("of more than 1 MiB"));
  EXPECT_THAT(IndexError(TarHeaderBlock("n", 1024, 'x') + std::string(512, 'x')),
              HasSubstr("cut off in a name or a pax header"));
}

TEST(TarIndex, RefusesInWordsWhatItDoesNotRead) {
  EXPECT_THAT(IndexError(TarMemberBytes("a.jpg", "", '1')), HasSubstr("a.jpg is a link"));
  EXPECT_THAT(IndexError(TarMemberBytes("a.jpg", "", '2')), HasSubstr("--dereference"));
  EXPECT_THAT(IndexError(TarMemberBytes("a.jpg", "", 'S')), HasSubstr("of the type 'S'"));
  EXPECT_THAT(IndexError(TarMemberBytes("x", PaxRecord("GNU.sparse.major", "1"), 'x')),
              HasSubstr("sparse"));
  EXPECT_THAT(IndexError(TarMemberBytes("g", PaxRecord("path", "p"), 'g')),
              HasSubstr("gives all members one name"));
  for (const char* const records : {"x", "9 a=b\n", "5 a=b\n", "6 a=bc", "4 a\n", "1 a=b\n"}) {
    EXPECT_THAT(IndexError(TarMemberBytes("x", records, 'x')),
                HasSubstr("a record of a pax header"))
        << records;
  }
  EXPECT_THAT(IndexError(TarMemberBytes("x", PaxRecord("size", "-3"), 'x')),
              HasSubstr("a pax header's size is no number"));
}

}  // namespace
}  // namespace conadv
