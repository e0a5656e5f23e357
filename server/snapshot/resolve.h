// SPDX-License-Identifier: Apache-2.0
// Which version a pull means. Pure functions.
#ifndef CONADV_SERVER_SNAPSHOT_RESOLVE_H_
#define CONADV_SERVER_SNAPSHOT_RESOLVE_H_

#include <optional>

#include "absl/status/statusor.h"
#include "common/base/ids.h"
#include "common/protocol/pull_selector.h"

namespace conadv {

// Versions that a store holds, without gaps.
struct RetainedRange {
  Version oldest;
  Version latest;
};

// The version to serve now, or nothing: wait for a newer one. `retained` is empty before the
// initial weights, `last` is the run's final version once it is known. OUT_OF_RANGE: evicted, or
// past the run's end; the message has the range.
absl::StatusOr<std::optional<Version>> Resolve(const PullSelector& selector,
                                               const std::optional<RetainedRange>& retained,
                                               const std::optional<Version>& last);

}  // namespace conadv

#endif  // CONADV_SERVER_SNAPSHOT_RESOLVE_H_
