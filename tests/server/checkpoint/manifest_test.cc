// SPDX-License-Identifier: Apache-2.0
#include "server/checkpoint/manifest.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_replace.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace conadv {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Manifest SomeManifest() {
  return {Version(117),
          Lineage(0x0123456789abcdef),
          Lineage(0xffffffffffffffff),
          1,
          2,
          0xfedcba9876543210,
          468,
          {470, 471},
          "plan\xff",
          "job",
          {{"weights", {1234, 99}}}};
}

TEST(Manifest, ReadsWhatWasWritten) {
  const auto read = DecodeManifest(EncodeManifest(SomeManifest()));
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->version, Version(117));
  EXPECT_EQ(read->run, Lineage(0x0123456789abcdef));
  EXPECT_EQ(read->lineage, Lineage(0xffffffffffffffff));
  EXPECT_EQ(IdOf(*read), IdOf(SomeManifest()));
  EXPECT_EQ(read->shard, 1);
  EXPECT_EQ(read->shards, 2);
  EXPECT_EQ(read->layout_hash, 0xfedcba9876543210);
  EXPECT_EQ(read->applied_prefix, 468);
  EXPECT_THAT(read->applied_ahead, ElementsAre(470, 471));
  EXPECT_EQ(read->plan, "plan\xff");
  EXPECT_EQ(read->job, "job");
  ASSERT_EQ(read->files.count("weights"), 1);
  EXPECT_EQ(read->files.at("weights").bytes, 1234);
  EXPECT_EQ(read->files.at("weights").crc32c, 99);
}

TEST(Manifest, AnythingElseIsAnotherIdentity) {
  const CheckpointId id = IdOf(SomeManifest());
  std::vector<Manifest> others(7, SomeManifest());
  others[0].version = Version(118);
  others[1].run = Lineage(1);
  others[2].lineage = Lineage(1);
  others[3].applied_ahead = {470};
  others[4].plan = "plan";
  others[5].job = "other";
  others[6].layout_hash = 1;
  for (const Manifest& other : others) EXPECT_NE(IdOf(other), id) << ToText(IdOf(other));
}

// The checksum is of the numbers as they are read: a conversion would hide the damage from it.
TEST(Manifest, RefusesNumbersThatAreNotWholeOrDoNotFit) {
  const std::string good = EncodeManifest(SomeManifest());
  for (const auto& [before, after] : std::vector<std::pair<std::string, std::string>>{
           {"\"version\": 117", "\"version\": 117.25"},
           {"\"version\": 117", "\"version\": 1e300"},
           {"\"version\": 117", "\"version\": -1"},
           {"\"shard\": 1", "\"shard\": 4294967297"},
           {"\"prefix\": 468", "\"prefix\": 468.5"},
           {"470", "470.5"},
           {"\"shards\": 2", "\"shards\": 2.5"},
           {"\"bytes\": 1234", "\"bytes\": 1234.5"},
           {"\"crc32c\": 99", "\"crc32c\": 4294967395"},
           {"\"crc32c\": 99", "\"crc32c\": true"}}) {
    const std::string changed = absl::StrReplaceAll(good, {{before, after}});
    ASSERT_NE(changed, good) << before;
    const absl::Status status = DecodeManifest(changed).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << after;
    EXPECT_THAT(std::string(status.message()), HasSubstr("not whole")) << after;
  }
}

}  // namespace
}  // namespace conadv
