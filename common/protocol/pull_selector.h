// SPDX-License-Identifier: Apache-2.0
// Which version a pull asks for. Plain values.
#ifndef CONADV_COMMON_PROTOCOL_PULL_SELECTOR_H_
#define CONADV_COMMON_PROTOCOL_PULL_SELECTOR_H_

#include <cstdint>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/base/ids.h"

namespace conadv {

struct PullSelector {
  enum class Kind { kExactly, kLatest, kLag, kAtLeast };
  Kind kind = Kind::kLatest;
  uint64_t value = 0;  // of all but kLatest

  static PullSelector Exactly(Version version) { return {Kind::kExactly, version.value()}; }
  static PullSelector Latest() { return {Kind::kLatest, 0}; }
  // The latest minus `lag`, or the oldest that is retained.
  static PullSelector Lag(uint64_t lag) { return {Kind::kLag, lag}; }
  // The latest, once it is at least this.
  static PullSelector AtLeast(Version version) { return {Kind::kAtLeast, version.value()}; }

  std::string ToString() const {
    switch (kind) {
      case Kind::kExactly: return absl::StrCat("version ", value);
      case Kind::kLatest: return "the latest version";
      case Kind::kLag: return absl::StrCat("the latest version but ", value);
      case Kind::kAtLeast: return absl::StrCat("version ", value, " or newer");
    }
    return "";
  }
};

}  // namespace conadv

#endif  // CONADV_COMMON_PROTOCOL_PULL_SELECTOR_H_
