// SPDX-License-Identifier: Apache-2.0
// What a process leaves for the one that follows it.
#include "server/metrics/goodput_journal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/support/temp_dir.h"

namespace conadv {
namespace {

using ::testing::HasSubstr;

GoodputEntry SomeEntry() {
  Goodput goodput;
  const absl::Time begin = absl::UnixEpoch();
  goodput.See({Lineage(0xabc), Version(0), Version(9), begin, begin + absl::Milliseconds(1234)});
  goodput.See(
      {Lineage(0xdef), Version(4), Version(7), begin + absl::Seconds(2), begin + absl::Seconds(3)});
  return {Lineage(0xabc), "some process", *goodput.ToRecord(begin, begin)};
}

TEST(GoodputJournal, WhatIsReadIsWhatWasWritten) {
  const TempDir directory;
  const GoodputJournal journal(directory.path(), 1, 2, &FileSystem::Real());
  EXPECT_FALSE(journal.Read()->has_value());
  const GoodputEntry entry = SomeEntry();
  ASSERT_TRUE(journal.Write(entry).ok());
  const GoodputEntry read = journal.Read()->value();
  EXPECT_EQ(read.run, entry.run);
  EXPECT_EQ(read.process, entry.process);
  EXPECT_EQ(read.record.lineage, Lineage(0xdef));
  EXPECT_EQ(read.record.last, entry.record.last);
  EXPECT_EQ(read.record.sums.lineages, 2U);
  EXPECT_EQ(read.record.sums.made_updates, 12U);
  EXPECT_EQ(read.record.sums.lost_updates, 5U);
  EXPECT_EQ(read.record.sums.trained, entry.record.sums.trained);
  EXPECT_EQ(read.record.sums.lost, entry.record.sums.lost);
  ASSERT_EQ(read.record.kept.size(), 2U);
  EXPECT_EQ(read.record.kept[0].newest, Version(4));
  EXPECT_EQ(read.record.kept[1].time, absl::Seconds(1));
  // Another shard's is another file.
  EXPECT_FALSE(GoodputJournal(directory.path(), 0, 2, &FileSystem::Real()).Read()->has_value());
}

TEST(GoodputJournal, WhatIsDamagedIsSaidToBe) {
  const TempDir directory;
  const GoodputJournal journal(directory.path(), 0, 1, &FileSystem::Real());
  ASSERT_TRUE(journal.Write(SomeEntry()).ok());
  const std::string path = directory / "goodput-shard-0-of-1.json";
  const std::string good = ReadFile(path);
  std::string other = good;
  other.replace(other.find("goodput 1"), 9, "goodput 2");
  for (const std::string& text : {good.substr(0, good.size() / 2), std::string("[]"), other}) {
    WriteFile(path, text);
    const absl::Status status = journal.Read().status();
    EXPECT_TRUE(absl::IsDataLoss(status)) << text;
    EXPECT_THAT(std::string(status.message()), HasSubstr(path));
  }
}

}  // namespace
}  // namespace conadv
