// SPDX-License-Identifier: Apache-2.0
#include "server/snapshot/resolve.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace conadv {

absl::StatusOr<std::optional<Version>> Resolve(const PullSelector& selector,
                                               const std::optional<RetainedRange>& retained,
                                               const std::optional<Version>& last) {
  const Version wanted(selector.value);
  const bool names_version = selector.kind == PullSelector::Kind::kExactly ||
                             selector.kind == PullSelector::Kind::kAtLeast;
  if (names_version && last.has_value() && wanted > *last) {
    return absl::OutOfRangeError(
        absl::StrCat("version ", wanted.value(), " is past the run's last, ", last->value()));
  }
  if (!retained.has_value()) return std::optional<Version>();
  switch (selector.kind) {
    case PullSelector::Kind::kLatest: return retained->latest;
    case PullSelector::Kind::kLag:
      return std::max(retained->latest.MinusOrZero(selector.value), retained->oldest);
    case PullSelector::Kind::kAtLeast:
      if (wanted > retained->latest) return std::optional<Version>();
      return retained->latest;
    case PullSelector::Kind::kExactly:
      if (wanted > retained->latest) return std::optional<Version>();
      if (wanted >= retained->oldest) return wanted;
      return absl::OutOfRangeError(absl::StrCat(
          "version ", wanted.value(), " is no longer kept; pull one of ", retained->oldest.value(),
          " to ", retained->latest.value(), ", or raise server.retain"));
  }
  return absl::InternalError("no such selector");
}

}  // namespace conadv
