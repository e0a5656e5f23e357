// SPDX-License-Identifier: Apache-2.0
#include "cli/complete/completion.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "tests/support/process.h"
#include "tests/support/temp_dir.h"

namespace conadv {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

std::vector<Command> SomeCommands() {
  return {{"train",
           "train it",
           "",
           "conadv train",
           {{"servers", FlagKind::kPositive, "M", "1", "shards; it's many"},
            {"json", FlagKind::kSwitch, "", "false", "JSON"}},
           nullptr},
          {"drain",
           "drain one",
           "",
           "conadv drain w",
           {{"worker", FlagKind::kArgument, "WORKER", "", "its name"}},
           nullptr}};
}

// What bash offers for the last of these words.
std::vector<std::string> Offers(const std::vector<std::string>& words) {
  const TempDir directory;
  std::string line;
  for (const std::string& word : words) absl::StrAppend(&line, " '", word, "'");
  WriteFile(directory / "script", absl::StrCat(BashCompletion(SomeCommands()), "COMP_WORDS=(", line,
                                               ")\nCOMP_CWORD=", words.size() - 1,
                                               "\n_conadv\nprintf '%s\\n' \"${COMPREPLY[@]}\"\n"));
  Process bash({"/bin/bash", "--noprofile", "--norc", "-eu", directory / "script"});
  const auto exit = bash.Wait(absl::Seconds(30));
  EXPECT_TRUE(exit.ok() && exit->ok()) << bash.error();
  return absl::StrSplit(bash.output(), '\n', absl::SkipEmpty());
}

TEST(Completion, BashOffersCommandsAndTheFlagsOfOne) {
  EXPECT_THAT(Offers({"conadv", ""}),
              AllOf(Contains("train"), Contains("drain"), Contains("help")));
  EXPECT_THAT(Offers({"conadv", "tr"}), ::testing::ElementsAre("train "));
  EXPECT_THAT(Offers({"conadv", "train", "--"}),
              ::testing::UnorderedElementsAre("--help", "--servers=", "--json"));
  EXPECT_THAT(Offers({"conadv", "train", "--se"}), ::testing::ElementsAre("--servers="));
  EXPECT_THAT(Offers({"conadv", "drain", "--"}), ::testing::ElementsAre("--help "));
}

TEST(Completion, ZshAndFishGetEveryFlagAndNoQuoteOfOursEndsTheirs) {
  EXPECT_THAT(
      ZshCompletion(SomeCommands()),
      AllOf(HasSubstr("'--servers=[shards; it'\\''s many]:M:_files'"),
            HasSubstr("'train:train it'"), HasSubstr("':its name:'"), HasSubstr("'--json[JSON]'")));
  EXPECT_THAT(FishCompletion(SomeCommands()),
              AllOf(HasSubstr("-l servers -r -d 'shards; it'\\''s many'"),
                    HasSubstr("-l json -d 'JSON'"), Not(HasSubstr("-l worker"))));
}

}  // namespace
}  // namespace conadv
