// SPDX-License-Identifier: Apache-2.0
#include "cli/doctor/examine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"

namespace conadv {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class ExamineTest : public ::testing::Test {
 protected:
  ExamineTest() {
    for (int shard = 0; shard < 2; ++shard) {
      ShardAnswer answer;
      answer.address = absl::StrCat("a:", shard);
      answer.status.set_phase(v1::StatusResponse::TRAINING);
      answer.status.set_shard(shard);
      answer.status.set_shards(2);
      answer.status.set_version(10 + shard);
      answer.status.set_lineage(7);
      answer.status.set_workers(1);
      answer.layout_hash = 9;
      answer.published[10] = now_ - absl::Seconds(1);
      shards_.push_back(answer);
    }
  }
  // What is wrong, as "about: what".
  std::vector<std::string> Wrong() const {
    std::vector<std::string> wrong;
    for (const Finding& finding : Examine(shards_, now_)) {
      EXPECT_EQ(finding.wrong, !finding.advice.empty()) << "what is wrong has an advice";
      if (finding.wrong) wrong.push_back(absl::StrCat(finding.about, ": ", finding.what));
    }
    return wrong;
  }

  const absl::Time now_ = absl::FromUnixSeconds(1'000'000);
  std::vector<ShardAnswer> shards_;
};

TEST_F(ExamineTest, NothingIsWrongWithARunThatTrains) { EXPECT_THAT(Wrong(), IsEmpty()); }

TEST_F(ExamineTest, AShardThatDoesNotAnswerIsNamed) {
  shards_[1].reached = absl::UnavailableError("refused");
  EXPECT_THAT(Wrong(), ElementsAre("shard 1 at a:1: does not answer: refused"));
}

TEST_F(ExamineTest, ShardsInAnotherOrderOrOfAnotherRunAreFound) {
  shards_[1].status.set_shard(3);
  shards_[1].layout_hash = 8;
  shards_[1].status.set_lineage(6);
  EXPECT_THAT(Wrong(), ElementsAre(HasSubstr("says that it is shard 3"),
                                   HasSubstr("lineages: differ"), HasSubstr("layouts: differ")));
}

TEST_F(ExamineTest, ClocksThatDifferAreFound) {
  shards_[1].published[10] = now_ + absl::Seconds(30);
  EXPECT_THAT(Wrong(), ElementsAre(AllOf(HasSubstr("clocks: shard 1"), HasSubstr("by 3"))));
}

TEST_F(ExamineTest, ADiskAMemoryAndAShardThatIsBehindAreFound) {
  shards_[0].status.set_checkpoint_error("no space left");
  shards_[1].status.set_memory_limit_bytes(100);
  shards_[1].status.set_memory_bytes(99);
  shards_[1].status.set_version(5000);
  EXPECT_THAT(Wrong(), ElementsAre(HasSubstr("writes no checkpoints: no space left"),
                                   HasSubstr("near its limit"), HasSubstr("too far apart")));
}

TEST_F(ExamineTest, ADiskThatIsSoonFullIsFoundBeforeItIs) {
  shards_[0].status.set_checkpoint_bytes(1 << 20);
  shards_[0].status.set_checkpoint_free_bytes(5 << 20);
  EXPECT_THAT(Wrong(), IsEmpty());
  shards_[0].status.set_checkpoint_free_bytes(1 << 20);
  EXPECT_THAT(Wrong(), ElementsAre(HasSubstr("shard 0 at a:0: its checkpoints take 1.0 MiB each, "
                                             "and their disk had 1.0 MiB left")));
}

TEST_F(ExamineTest, ACertificateOfAShardThatEndsSoonIsFound) {
  shards_[1].certificate_ends = now_ + absl::Hours(24 * 90);
  EXPECT_THAT(Wrong(), IsEmpty());
  shards_[1].certificate_ends = now_ + absl::Hours(24 * 3 + 1);
  EXPECT_THAT(Wrong(), ElementsAre("certificate of shard 1 at a:1: ends in 3 days"));
}

TEST_F(ExamineTest, ARunWithoutWorkersOrWithAWarningIsFound) {
  shards_[0].status.set_workers(0);
  EXPECT_THAT(Wrong(), ElementsAre("run: no worker is there"));
  shards_[0].status.set_warning("the loss rises");
  EXPECT_THAT(Wrong(), ElementsAre("run: the loss rises"));
}

TEST_F(ExamineTest, ACertificateIsWarnedOfInTime) {
  EXPECT_FALSE(ExamineCertificate("own", now_ + absl::Hours(24 * 90), now_).wrong);
  EXPECT_EQ(ExamineCertificate("own", now_ + absl::Hours(24 * 3 + 1), now_).what, "ends in 3 days");
  EXPECT_EQ(ExamineCertificate("own", now_ - absl::Hours(1), now_).what, "has expired");
}

}  // namespace
}  // namespace conadv
