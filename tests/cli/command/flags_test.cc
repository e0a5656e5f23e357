// SPDX-License-Identifier: Apache-2.0
#include "cli/command/flags.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/base/nearest.h"

namespace conadv {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

const std::vector<Flag>& Table() {
  static const auto* table = new std::vector<Flag>{
      {"job", FlagKind::kText, "FILE", "", "the job"},
      {"servers", FlagKind::kPositive, "M", "1", "shards"},
      {"lag", FlagKind::kCount, "K", "", "versions behind"},
      {"interval", FlagKind::kSeconds, "SECONDS", "1", "between two looks"},
      {"json", FlagKind::kSwitch, "", "false", "machine-readable"},
      {"set", FlagKind::kRepeated, "PATH=VALUE", "", "changes the job"},
  };
  return *table;
}

absl::StatusOr<FlagValues> Parse(const std::vector<std::string>& arguments) {
  return ParseFlags(Table(), arguments);
}

std::string Error(const std::vector<std::string>& arguments) {
  return std::string(Parse(arguments).status().message());
}

TEST(Flags, DefaultsHoldForWhatIsNotGiven) {
  const FlagValues values = Parse({}).value();
  EXPECT_EQ(values.Text("job"), "");
  EXPECT_EQ(values.Count("servers"), 1U);
  EXPECT_EQ(values.Seconds("interval"), absl::Seconds(1));
  EXPECT_FALSE(values.Switch("json"));
  EXPECT_THAT(values.Repeated("set"), IsEmpty());
  EXPECT_FALSE(values.Given("servers"));
}

TEST(Flags, AValueFollowsAnEqualsSignOrASpace) {
  const FlagValues values = Parse({"--job=a=b", "--servers", "3", "--interval=0.5"}).value();
  EXPECT_EQ(values.Text("job"), "a=b");
  EXPECT_EQ(values.Count("servers"), 3U);
  EXPECT_EQ(values.Seconds("interval"), absl::Milliseconds(500));
  EXPECT_TRUE(values.Given("servers"));
}

TEST(Flags, ASwitchNeedsNoValue) {
  EXPECT_TRUE(Parse({"--json", "--job=x"}).value().Switch("json"));
  EXPECT_FALSE(Parse({"--nojson"}).value().Switch("json"));
  EXPECT_FALSE(Parse({"--json=false"}).value().Switch("json"));
}

TEST(Flags, ARepeatedFlagKeepsItsOrder) {
  EXPECT_THAT(Parse({"--set=b=1", "--set", "a=2"}).value().Repeated("set"),
              ElementsAre("b=1", "a=2"));
}

TEST(Flags, ErrorsAreOneLineThatNamesTheFlag) {
  EXPECT_THAT(Error({"--serverz=1"}), HasSubstr("did you mean --servers?"));
  EXPECT_THAT(Error({"--completely-else=1"}),
              AllOf(HasSubstr("--completely-else"), HasSubstr("--help")));
  EXPECT_THAT(Error({"--servers=0"}), HasSubstr("--servers must be a whole number, at least 1"));
  EXPECT_THAT(Error({"--servers=-1"}), HasSubstr("--servers"));
  EXPECT_THAT(Error({"--lag=1.5"}), HasSubstr("--lag must be a whole number"));
  EXPECT_THAT(Error({"--lag=99999999999999999999"}), HasSubstr("--lag"));
  EXPECT_THAT(Error({"--interval=nan"}), HasSubstr("--interval"));
  EXPECT_THAT(Error({"--interval=0"}), HasSubstr("--interval"));
  EXPECT_THAT(Error({"--json=perhaps"}), HasSubstr("--json must be true or false"));
  EXPECT_THAT(Error({"--job"}), HasSubstr("--job needs a value: --job=FILE"));
  EXPECT_THAT(Error({"--job", "--json"}), HasSubstr("--job needs a value"));
  EXPECT_THAT(Error({"--job=a", "--job=b"}), HasSubstr("--job is given twice"));
  EXPECT_THAT(Error({"stray"}), HasSubstr("\"stray\""));
  EXPECT_THAT(Error({"--nojob"}), HasSubstr("unknown flag --nojob"));
  EXPECT_THAT(Error({"--servers=two"}), Not(HasSubstr("\n")));
}

TEST(Flags, TheHelpHasEveryFlagWithItsDefault) {
  const std::string help = FlagHelp(Table());
  EXPECT_THAT(help, HasSubstr("--servers=M"));
  EXPECT_THAT(help, HasSubstr("(default: 1)"));
  EXPECT_THAT(help, HasSubstr("(repeatable)"));
}

TEST(Nearest, FindsWhatWasMeantAndNothingElse) {
  const std::vector<std::string> names = {"train", "status", "staleness", "pull"};
  EXPECT_EQ(Nearest("trian", names), "train");
  EXPECT_EQ(Nearest("stat", names), "status");
  EXPECT_EQ(Nearest("stalness", names), "staleness");
  EXPECT_EQ(Nearest("xyzzy", names), "");
  EXPECT_EQ(Nearest("", names), "");
}

}  // namespace
}  // namespace conadv
