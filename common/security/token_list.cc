// SPDX-License-Identifier: Apache-2.0
#include "common/security/token_list.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/base/status_macros.h"

namespace conadv {
namespace {

constexpr size_t kLeastLength = 16;
constexpr size_t kMostLength = 4096;  // of a header, with room
constexpr size_t kMostTokens = 1000;  // each costs every call a comparison

absl::Status CheckToken(absl::string_view token) {
  if (token.size() < kLeastLength || token.size() > kMostLength) {
    return absl::InvalidArgumentError(
        absl::StrCat("a token has ", kLeastLength, " to ", kMostLength, " characters, this one ",
                     token.size(), "; openssl rand -hex 32 makes one"));
  }
  for (const char c : token) {
    if (!absl::ascii_isalnum(c) && !absl::StrContains("-._~+/=", c)) {
      return absl::InvalidArgumentError(
          "a token is of letters, digits and -._~+/= (RFC 6750); openssl rand -hex 32 makes one");
    }
  }
  return absl::OkStatus();
}

}  // namespace

TokenList::Digest TokenList::DigestOf(absl::string_view token) {
  Digest digest;
  SHA256(reinterpret_cast<const uint8_t*>(token.data()), token.size(), digest.data());
  return digest;
}

absl::StatusOr<TokenList> TokenList::Parse(absl::string_view text) {
  TokenList list;
  int number = 0;
  for (const absl::string_view raw : absl::StrSplit(text, '\n')) {
    ++number;
    const absl::string_view line = absl::StripAsciiWhitespace(raw);
    if (line.empty() || line.front() == '#') continue;
    const auto wrong = [number](absl::string_view what) {
      return absl::InvalidArgumentError(absl::StrCat("line ", number, ": ", what));
    };
    const std::vector<absl::string_view> words =
        absl::StrSplit(line, absl::ByAnyChar(" \t"), absl::SkipEmpty());
    if (words.size() != 2) return wrong("must be ROLE TOKEN");
    const std::optional<AccessRole> role = ParseAccessRole(words[0]);
    if (!role.has_value()) return wrong(absl::StrCat("a role is ", kAccessRoles));
    if (const absl::Status token = CheckToken(words[1]); !token.ok()) return wrong(token.message());
    if (list.RoleOf(words[1]).has_value()) return wrong("the token of an earlier line");
    if (list.entries_.size() == kMostTokens) {
      return wrong(absl::StrCat("at most ", kMostTokens, " tokens"));
    }
    list.entries_.push_back({*role, DigestOf(words[1])});
  }
  if (list.entries_.empty()) {
    return absl::InvalidArgumentError("there is no token in it: a line each, ROLE TOKEN");
  }
  return list;
}

std::optional<AccessRole> TokenList::RoleOf(absl::string_view token) const {
  const Digest digest = DigestOf(token);
  std::optional<AccessRole> role;
  for (const Entry& entry : entries_) {
    if (CRYPTO_memcmp(entry.digest.data(), digest.data(), digest.size()) == 0) role = entry.role;
  }
  return role;
}

absl::StatusOr<std::string> ParseToken(absl::string_view text) {
  const absl::string_view token = absl::StripAsciiWhitespace(text);
  CONADV_RETURN_IF_ERROR(CheckToken(token));
  return std::string(token);
}

}  // namespace conadv
