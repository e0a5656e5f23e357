// SPDX-License-Identifier: Apache-2.0
// What a pull asks for. Plain values.
#ifndef CONADV_COMMON_PROTOCOL_PULL_SELECTOR_H_
#define CONADV_COMMON_PROTOCOL_PULL_SELECTOR_H_

#include <cstdint>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "common/base/ids.h"
#include "common/tensor/bfloat16.h"

namespace conadv {

struct PullSelector {
  enum class Kind { kExactly, kLatest, kLag, kAtLeast };
  Kind kind = Kind::kLatest;
  uint64_t value = 0;  // of all but kLatest
  // The average of that version's weights rather than the weights: Optimizer.Average in job.proto.
  bool averaged = false;
  // What the values are on their way.
  ElementType type = ElementType::kFloat32;

  static PullSelector Exactly(Version version) { return Of(Kind::kExactly, version.value()); }
  static PullSelector Latest() { return Of(Kind::kLatest, 0); }
  // The latest minus `lag`, or the oldest that is retained.
  static PullSelector Lag(uint64_t lag) { return Of(Kind::kLag, lag); }
  // The latest, once it is at least this.
  static PullSelector AtLeast(Version version) { return Of(Kind::kAtLeast, version.value()); }

  PullSelector Averaged(bool is) const {
    PullSelector selector = *this;
    selector.averaged = is;
    return selector;
  }
  PullSelector As(ElementType element) const {
    PullSelector selector = *this;
    selector.type = element;
    return selector;
  }

  std::string ToString() const {
    const absl::string_view what = averaged ? "the average of " : "";
    switch (kind) {
      case Kind::kExactly: return absl::StrCat(what, "version ", value);
      case Kind::kLatest: return absl::StrCat(what, "the latest version");
      case Kind::kLag: return absl::StrCat(what, "the latest version but ", value);
      case Kind::kAtLeast: return absl::StrCat(what, "version ", value, " or newer");
    }
    return "";
  }

 private:
  static PullSelector Of(Kind kind, uint64_t value) {
    PullSelector selector;
    selector.kind = kind;
    selector.value = value;
    return selector;
  }
};

}  // namespace conadv

#endif  // CONADV_COMMON_PROTOCOL_PULL_SELECTOR_H_
