// SPDX-License-Identifier: Apache-2.0
// The job file as text: what is wrong with it, and what it says in full.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/job/parse.h"

namespace conadv {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr char kJob[] = R"(
  model { builtin: "convnet" }
  dataset { path: "/data" }
  optimizer { sgd {} }
)";

v1::Job Parsed(const std::string& text) {
  absl::StatusOr<v1::Job> job = ParseJobText(text, "job");
  EXPECT_TRUE(job.ok()) << job.status();
  return job.ok() ? *job : v1::Job();
}

std::string ErrorOf(const std::string& text) {
  const absl::StatusOr<v1::Job> job = ParseJobText(text, "my.job");
  EXPECT_EQ(job.status().code(), absl::StatusCode::kInvalidArgument);
  return std::string(job.status().message());
}

TEST(ParseJobText, ReadsFieldsAndLeavesTheOthersUnset) {
  const v1::Job job = Parsed("training { tau: 2 algorithm: CONADV } optimizer { lars {} }");
  EXPECT_EQ(job.training().tau(), 2);
  EXPECT_TRUE(job.optimizer().has_lars());
  EXPECT_FALSE(job.has_seed());
  EXPECT_EQ(job.seed(), 1);
}

TEST(ParseJobText, AByteOrderMarkIsNoPartOfTheJob) {
  const absl::StatusOr<v1::Job> job = ParseJobText("\xef\xbb\xbfname: \"a\"", "my.job");
  ASSERT_TRUE(job.ok()) << job.status();
  EXPECT_EQ(job->name(), "a");
  for (const char* mark : {"\xff\xfe", "\xfe\xff"}) {
    EXPECT_EQ(ParseJobText(std::string(mark) + "n", "my.job").status().message(),
              "my.job: it is UTF-16; save it as UTF-8");
  }
}

TEST(ParseJobText, NamesFileLineAndColumnOfASyntaxError) {
  EXPECT_THAT(ErrorOf("seed: 1\ntraining { tau: two }"), StartsWith("my.job:2:17: "));
}

TEST(ParseJobText, RefusesAnUnknownFieldByName) {
  const std::string error = ErrorOf("training {\n  tua: 2\n}");
  EXPECT_THAT(error, StartsWith("my.job:2:"));
  EXPECT_THAT(error, HasSubstr("tua"));
}

TEST(ParseJobText, RefusesAnUnknownEnumValue) {
  EXPECT_THAT(ErrorOf("training { algorithm: CONAVD }"), HasSubstr("CONAVD"));
  EXPECT_THAT(ErrorOf("training { algorithm: 17 }"), HasSubstr("17"));
}

TEST(ParseJobText, RefusesAFieldThatIsSetTwice) {
  EXPECT_THAT(ErrorOf("seed: 1 seed: 2"), HasSubstr("seed"));
  EXPECT_THAT(ErrorOf("optimizer { sgd {} lars {} }"), HasSubstr("lars"));
}

TEST(ParseJobText, RefusesANumberThatDoesNotFit) {
  EXPECT_THAT(ErrorOf("training { tau: -1 }"), StartsWith("my.job:1:"));
  EXPECT_THAT(ErrorOf("training { tau: 4294967296 }"), StartsWith("my.job:1:"));
}

TEST(ParseJobText, ARefusalIsTextWhateverTheFileHolds) {
  EXPECT_THAT(ErrorOf("\xff\xff: 1"), AllOf(HasSubstr("\\xff"), Not(HasSubstr("\xff"))));
  EXPECT_THAT(ErrorOf("\x1b[2J"), Not(HasSubstr("\x1b")));
}

TEST(JobText, SpellsOutDefaults) {
  const std::string text = JobText(Parsed(kJob));
  EXPECT_THAT(text, HasSubstr("seed: 1\n"));
  EXPECT_THAT(text, HasSubstr("global_batch: 512\n"));
  EXPECT_THAT(text, HasSubstr("algorithm: CONADV\n"));
  EXPECT_THAT(text, HasSubstr("momentum: 0.9\n"));
  EXPECT_THAT(text, HasSubstr("constant {\n"));
}

TEST(JobText, SpellsOutDefaultsInsideOfLists) {
  const std::string text =
      JobText(Parsed("dataset { augmentation { crop {} } augmentation { flip: 0.5 } }"));
  EXPECT_THAT(text, AllOf(HasSubstr("padding: 4"), HasSubstr("flip: 0.5")));
}

TEST(JobText, LeavesOutWhatPlaysNoPart) {
  const std::string text = JobText(Parsed(kJob));
  EXPECT_THAT(text, Not(HasSubstr("staleness_bound")));
  EXPECT_THAT(text, Not(HasSubstr("lars")));
}

TEST(JobText, LeavesOutFieldsWhoseAbsenceSaysSomething) {
  const absl::StatusOr<Job> plain = ValidateJob(Parsed(JobText(Parsed(kJob))));
  ASSERT_TRUE(plain.ok()) << plain.status();
  EXPECT_FALSE(plain->optimizer.average.has_value());
  const std::string text = JobText(Parsed(
      R"(model { builtin: "convnet" } dataset { path: "/data" }
         optimizer { sgd {} tensors { pattern: "*" } tensors { pattern: "a" frozen: true } average {} })"));
  const absl::StatusOr<Job> job = ValidateJob(Parsed(text));
  ASSERT_TRUE(job.ok()) << job.status() << text;
  EXPECT_FALSE(job->optimizer.tensors[0].weight_decay.has_value());
  EXPECT_FALSE(job->optimizer.tensors[0].trust_ratio.has_value());
  EXPECT_TRUE(job->optimizer.tensors[1].frozen);
  EXPECT_FALSE(job->optimizer.tensors[1].weight_decay.has_value());
  EXPECT_TRUE(job->optimizer.average.has_value());
  EXPECT_THAT(text, HasSubstr("decay: 0.999"));
}

TEST(JobText, OfEveryKindOfJobParsesToTheSameJob) {
  for (const std::string mode : {"SYNC", "SSP", "ASYNC"}) {
    for (const std::string algorithm : {"CONADV", "DISADV", "VANILLA"}) {
      SCOPED_TRACE(mode + " " + algorithm);
      const v1::Job job = Parsed(std::string(kJob) + "training { consistency: " + mode +
                                 " algorithm: " + algorithm + " }");
      ASSERT_TRUE(ValidateJob(job).ok()) << ValidateJob(job).status();
      const std::string text = JobText(job);
      const v1::Job again = Parsed(text);
      const absl::StatusOr<Job> valid = ValidateJob(again);
      ASSERT_TRUE(valid.ok()) << valid.status();
      EXPECT_EQ(JobText(again), text);
      EXPECT_EQ(valid->training.tau, ValidateJob(job)->training.tau);
      EXPECT_EQ(valid->reproducible, ValidateJob(job)->reproducible);
      EXPECT_EQ(valid->server.retain, ValidateJob(job)->server.retain);
      EXPECT_EQ(valid->attack.epsilon, ValidateJob(job)->attack.epsilon);
    }
  }
}

}  // namespace
}  // namespace conadv
