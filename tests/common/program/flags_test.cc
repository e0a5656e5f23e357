// SPDX-License-Identifier: Apache-2.0
#include "common/program/flags.h"

#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

ABSL_FLAG(std::string, listen, "", "where to listen");
ABSL_FLAG(int, threads, 2, "how many threads");
ABSL_FLAG(double, seconds, 1, "how long");
ABSL_FLAG(bool, insecure, false, "without TLS");
ABSL_FLAG(absl::Duration, patience, absl::ZeroDuration(), "how patient");

namespace conadv {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

std::string Mistake(const std::vector<std::string>& arguments) {
  const absl::Status status = SetFlags(arguments);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  return std::string(status.message());
}

TEST(ProgramFlags, EverySpellingSetsTheFlag) {
  ASSERT_TRUE(SetFlags({"--listen=a:1", "--threads", "-3", "--insecure", "--patience=2m"}).ok());
  EXPECT_EQ(absl::GetFlag(FLAGS_listen), "a:1");
  EXPECT_EQ(absl::GetFlag(FLAGS_threads), -3);
  EXPECT_TRUE(absl::GetFlag(FLAGS_insecure));
  EXPECT_EQ(absl::GetFlag(FLAGS_patience), absl::Minutes(2));
  ASSERT_TRUE(SetFlags({"--noinsecure", "--listen="}).ok());
  EXPECT_FALSE(absl::GetFlag(FLAGS_insecure));
  EXPECT_EQ(absl::GetFlag(FLAGS_listen), "");
}

TEST(ProgramFlags, AnUnknownFlagIsToldWithTheNearestThereIs) {
  EXPECT_EQ(Mistake({"--listn=a:1"}),
            "unknown flag --listn; did you mean --listen? --help lists the flags");
  EXPECT_EQ(Mistake({"--xyzzy"}), "unknown flag --xyzzy; --help lists the flags");
  EXPECT_THAT(Mistake({"--nothreads"}), HasSubstr("unknown flag --nothreads"));
  EXPECT_THAT(Mistake({"--flagfile=x"}), HasSubstr("unknown flag"));
}

TEST(ProgramFlags, AWrongOrMissingValueSaysWhatIsWanted) {
  EXPECT_EQ(Mistake({"--threads=many"}), "--threads must be a whole number, got \"many\"");
  EXPECT_EQ(Mistake({"--seconds="}), "--seconds must be a number, got \"\"");
  EXPECT_EQ(Mistake({"--insecure=maybe"}), "--insecure must be true or false, got \"maybe\"");
  EXPECT_THAT(Mistake({"--patience=5"}), HasSubstr("must be a duration"));
  EXPECT_EQ(Mistake({"--threads"}), "--threads needs a value: --threads=VALUE");
  EXPECT_EQ(Mistake({"--threads", "--insecure"}), "--threads needs a value: --threads=VALUE");
}

TEST(ProgramFlags, WhatIsNoFlagIsRefused) {
  for (const char* argument : {"stray", "-x", "--", ""}) {
    EXPECT_THAT(Mistake({argument}), HasSubstr("unexpected argument")) << argument;
  }
}

TEST(ProgramFlags, HelpHasOurFlagsWithTheirDefaultsAndNoOthers) {
  EXPECT_THAT(FlagsHelp(), AllOf(HasSubstr("--threads\n      how many threads (default: 2)"),
                                 HasSubstr("where to listen\n"), Not(HasSubstr("flagfile"))));
}

}  // namespace
}  // namespace conadv
