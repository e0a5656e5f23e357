// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <utility>

#include "server/coordinate/restore.h"

namespace conadv {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

CheckpointId Id(uint64_t version, uint64_t run = 1, uint64_t lineage = 1) {
  CheckpointId id;
  id.version = Version(version);
  id.run = Lineage(run);
  id.lineage = Lineage(lineage);
  return id;
}

CheckpointReport Report(std::vector<CheckpointId> usable,
                        std::vector<RefusedCheckpoint> refused = {}) {
  return {"disk", std::move(usable), std::move(refused)};
}

TEST(RestoreChoice, TheNewestThatIsOneAndTheSameOnEveryShard) {
  const RestoreChoice choice =
      ChooseRestore({Report({Id(400), Id(300), Id(0)}), Report({Id(500), Id(300), Id(0)})}, false);
  EXPECT_EQ(choice.target, Id(300));
  EXPECT_THAT(choice.written, ElementsAre(Version(0), Version(300)));
  EXPECT_EQ(choice.warning, "") << "a write that was cut off is nothing to tell of";
}

// Shard 1's disk was attached to another run of the same job for a while.
TEST(RestoreChoice, AVersionOfAnotherRunOrLineageIsNotTheSame) {
  const RestoreChoice choice =
      ChooseRestore({Report({Id(400), Id(300)}), Report({Id(400, 2, 2), Id(300)})}, false);
  EXPECT_EQ(choice.target, Id(300));
  EXPECT_THAT(choice.warning, AllOf(HasSubstr("goes on from version 300"), HasSubstr("shard 1")));
  EXPECT_EQ(
      ChooseRestore({Report({Id(400, 1, 1), Id(300)}), Report({Id(400, 1, 2), Id(300)})}, false)
          .target,
      Id(300));
}

TEST(RestoreChoice, CommonVersionsOfAnotherRunAreNotThisRuns) {
  const RestoreChoice choice =
      ChooseRestore({Report({Id(400, 2, 2), Id(300)}), Report({Id(400, 2, 2), Id(300)})}, false);
  EXPECT_EQ(choice.target, Id(400, 2, 2));
  EXPECT_THAT(choice.written, ElementsAre(Version(400)));
}

TEST(RestoreChoice, AShardThatHasNothingStopsTheRunUnlessItMayBeginAnew) {
  const std::vector<CheckpointReport> shards = {Report({Id(400), Id(0)}), Report({})};
  const RestoreChoice refused = ChooseRestore(shards, false);
  EXPECT_TRUE(absl::IsAborted(refused.refusal));
  EXPECT_THAT(std::string(refused.refusal.message()),
              AllOf(HasSubstr("shard 0 has version 400"), HasSubstr("shard 1 has none in disk"),
                    HasSubstr("--begin_anew")));
  const RestoreChoice anew = ChooseRestore(shards, true);
  EXPECT_TRUE(anew.refusal.ok());
  EXPECT_FALSE(anew.target.has_value());
  EXPECT_THAT(anew.warning, AllOf(HasSubstr("begins anew"), HasSubstr("shard 1 has none")));
}

TEST(RestoreChoice, WhereEverythingIsDamagedTheReasonsAreTold) {
  const RestoreChoice choice =
      ChooseRestore({Report({}, {{Version(7), "weights.safetensors\n does not match"}})}, false);
  EXPECT_THAT(std::string(choice.refusal.message()),
              HasSubstr("refused version 7 (weights.safetensors\\n does not match)"));
}

TEST(RestoreChoice, InitialWeightsAreNothingToLose) {
  const RestoreChoice choice = ChooseRestore({Report({Id(0)}), Report({})}, false);
  EXPECT_TRUE(choice.refusal.ok());
  EXPECT_FALSE(choice.target.has_value());
  EXPECT_EQ(choice.warning, "");
  EXPECT_FALSE(ChooseRestore({Report({}), Report({})}, false).target.has_value());
}

}  // namespace
}  // namespace conadv
