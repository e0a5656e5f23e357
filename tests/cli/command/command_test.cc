// SPDX-License-Identifier: Apache-2.0
#include "cli/command/command.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "common/program/version.h"

namespace conadv {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

struct Ran {
  int exit = 0;
  std::string out;
  std::string err;
};

Ran Call(const std::vector<std::string>& arguments) {
  const std::vector<Command> commands = {
      {"train",
       "trains",
       "",
       "conadv train --count=3",
       {{"count", FlagKind::kCount, "N", "2", "how many"}},
       [](const FlagValues& flags, std::ostream& out) {
         out << "count " << flags.Count("count");
         return absl::OkStatus();
       }},
      {"status",
       "looks",
       "",
       "conadv status",
       {},
       [](const FlagValues&, std::ostream&) {
         return absl::UnavailableError("nobody listens on a:1");
       }},
  };
  std::ostringstream out;
  std::ostringstream err;
  Ran ran;
  ran.exit = Dispatch(commands, arguments, out, err);
  ran.out = out.str();
  ran.err = err.str();
  return ran;
}

TEST(Command, WithoutArgumentsAndWithHelpTheCommandsAreListed) {
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{}, {"help"}, {"--help"}, {"-h"}}) {
    const Ran ran = Call(arguments);
    EXPECT_EQ(ran.exit, 0);
    EXPECT_THAT(ran.out, AllOf(HasSubstr("train"), HasSubstr("status")));
    EXPECT_EQ(ran.err, "");
  }
}

TEST(Command, SaysWhichVersionItIs) {
  for (const char* argument : {"--version", "version"}) {
    const Ran ran = Call({argument});
    EXPECT_EQ(ran.exit, 0);
    EXPECT_EQ(ran.out, absl::StrCat("conadv ", ProjectVersion(), "\n"));
  }
}

TEST(Command, HelpShowsUsageFlagsDefaultsAndAnExample) {
  for (const std::vector<std::string>& arguments : {std::vector<std::string>{"train", "--help"},
                                                    {"help", "train"},
                                                    {"train", "--count=x", "-h"}}) {
    const Ran ran = Call(arguments);
    EXPECT_EQ(ran.exit, 0);
    EXPECT_THAT(ran.out, AllOf(HasSubstr("usage: conadv train [flags]"), HasSubstr("--count=N"),
                               HasSubstr("(default: 2)"), HasSubstr("conadv train --count=3")));
  }
}

TEST(Command, RunsWithItsFlags) { EXPECT_EQ(Call({"train", "--count=7"}).out, "count 7"); }

TEST(Command, WhatIsNotUnderstoodIsOneLineAndExitsWith2) {
  const Ran command = Call({"trian"});
  EXPECT_EQ(command.exit, 2);
  EXPECT_EQ(command.err, "conadv: unknown command \"trian\"; did you mean train?\n");
  const Ran flag = Call({"train", "--cuont=1"});
  EXPECT_EQ(flag.exit, 2);
  EXPECT_EQ(flag.err, "conadv train: unknown flag --cuont; did you mean --count?\n");
}

TEST(Command, AnErrorIsOneLineAndExitsWith1) {
  const Ran ran = Call({"status"});
  EXPECT_EQ(ran.exit, 1);
  EXPECT_EQ(ran.out, "");
  EXPECT_EQ(ran.err, "conadv status: nobody listens on a:1\n");
}

// A full disk, or a pipe that nobody reads.
class Full : public std::streambuf {
 protected:
  int overflow(int) override { return EOF; }
  int sync() override {
    errno = ENOSPC;
    return -1;
  }
};

TEST(Command, WhatCannotBePrintedIsAnError) {
  const std::vector<Command> commands = {
      {"say", "says", "", "conadv say", {}, [](const FlagValues&, std::ostream& out) {
         out << "it" << std::flush;
         return absl::OkStatus();
       }}};
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"say"}, {"help"}, {"say", "--help"}}) {
    Full full;
    std::ostream out(&full);
    std::ostringstream err;
    EXPECT_EQ(Dispatch(commands, arguments, out, err), 1);
    EXPECT_THAT(err.str(), AllOf(HasSubstr("standard output cannot be written"),
                                 HasSubstr("No space left on device")));
  }
}

}  // namespace
}  // namespace conadv
