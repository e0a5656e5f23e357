// SPDX-License-Identifier: Apache-2.0
#include "common/security/token_list.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <utility>

#include "absl/strings/str_cat.h"

namespace conadv {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kOld[] = "0123456789abcdef";
constexpr char kNew[] = "fedcba9876543210";

TEST(TokenList, SeveralTokensOfARoleAllCountSoThatOneCanFollowAnother) {
  const auto list = TokenList::Parse(
      absl::StrCat("# who may do what\n\n  worker ", kOld, "\r\nworker\t", kNew, "\n"));
  ASSERT_TRUE(list.ok()) << list.status();
  EXPECT_EQ(list->RoleOf(kOld), AccessRole::kWorker);
  EXPECT_EQ(list->RoleOf(kNew), AccessRole::kWorker);
  for (const char* const none : {"", "0", "0123456789abcde", "0123456789abcdef0"}) {
    EXPECT_EQ(list->RoleOf(none), std::nullopt) << none;
  }
}

TEST(TokenList, WhatIsWrongIsNamedByItsLineAndNeverByAToken) {
  const std::pair<const char*, const char*> wrong[] = {
      {"worker 0123456789abcdef\nboss fedcba9876543210", "line 2: a role is viewer"},
      {"worker 0123456789abcdef\nadmin 0123456789abcdef", "line 2: the token of an earlier line"},
      {"worker secret-0123456789ab*", "line 1: a token is of letters"},
      {"worker secret-0123", "line 1: a token has 16 to"},
      {"secret-0123456789abcdef", "line 1: must be ROLE TOKEN"},
      {"worker 0123456789abcdef secret-word", "line 1: must be ROLE TOKEN"},
      {"# nobody\n", "no token"},
  };
  for (const auto& [text, what] : wrong) {
    const absl::Status status = TokenList::Parse(text).status();
    EXPECT_THAT(status.message(), HasSubstr(what)) << text;
    EXPECT_THAT(status.message(), Not(HasSubstr("secret"))) << text;
  }
}

TEST(ParseToken, TakesTheFirstLineAndNothingElse) {
  EXPECT_EQ(*ParseToken("0123456789abcdef\n"), kOld);
  for (const char* const none : {"", "\n", "short", "two words in a file", "0123456789abcdef\nx"}) {
    EXPECT_FALSE(ParseToken(none).ok()) << none;
  }
}

}  // namespace
}  // namespace conadv
