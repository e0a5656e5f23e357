// SPDX-License-Identifier: Apache-2.0
// The bearer tokens that a server takes, and the one that a client has. Immutable once parsed.
#ifndef CONADV_COMMON_SECURITY_TOKEN_LIST_H_
#define CONADV_COMMON_SECURITY_TOKEN_LIST_H_

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/security/access_role.h"

namespace conadv {

class TokenList {
 public:
  // Lines of "ROLE TOKEN"; empty ones and those that begin with # mean nothing. Several of a role
  // all count, so that one can follow another without a gap. INVALID_ARGUMENT names the line, never
  // a token: an unknown role, a token of fewer than 16 characters or of others than those of
  // RFC 6750, one that stands there twice, no token at all, more than 1,000.
  static absl::StatusOr<TokenList> Parse(absl::string_view text);

  // The time that it takes says nothing about how much of a token was right.
  std::optional<AccessRole> RoleOf(absl::string_view token) const;

 private:
  using Digest = std::array<uint8_t, 32>;
  struct Entry {
    AccessRole role;
    Digest digest;  // SHA-256: what is kept in memory is no token
  };

  static Digest DigestOf(absl::string_view token);

  std::vector<Entry> entries_;
};

// What a file with one token says, without the end of its line. INVALID_ARGUMENT: it is none.
absl::StatusOr<std::string> ParseToken(absl::string_view text);

}  // namespace conadv

#endif  // CONADV_COMMON_SECURITY_TOKEN_LIST_H_
