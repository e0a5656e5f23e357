// SPDX-License-Identifier: Apache-2.0
#include "server/observe/readiness.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace conadv {

Readiness ReadinessOf(const ReadinessState& state) {
  if (!state.failure.empty()) return {false, absl::StrCat("the run has failed: ", state.failure)};
  const std::string why = state.waits_for.empty() ? "" : absl::StrCat(" (", state.waits_for, ")");
  if (state.lineage == Lineage(0)) {
    return {false, absl::StrCat("the coordinator has not said yet what the run goes on from", why)};
  }
  if (!state.newest.has_value()) {
    return {false, absl::StrCat("no weights yet: the first worker brings them", why)};
  }
  return {true, absl::StrFormat("serves version %d of lineage %016x", state.newest->value(),
                                state.lineage.value())};
}

Readiness ReadinessOf(const ServerParts& parts) {
  ReadinessState state;
  state.lineage = parts.shard->lineage();
  if (const auto retained = parts.shard->snapshots().retained(); retained.has_value()) {
    state.newest = retained->latest;
  }
  if (parts.coordinator != nullptr) {
    state.failure = std::string(parts.coordinator->health().message());
  }
  Readiness readiness = ReadinessOf(state);
  if (readiness.ready || parts.coordinator == nullptr) return readiness;
  // Takes a look at every member: only where there is something to explain.
  state.waits_for = parts.coordinator->Read().message;
  return ReadinessOf(state);
}

absl::Duration LongestTask(const Job& job) {
  return std::max(job.server.unit_timeout, 3 * job.server.lease);
}

}  // namespace conadv
