// SPDX-License-Identifier: Apache-2.0
#include "server/rpc/connections/untaken_bytes.h"

#include <algorithm>
#include <cmath>

namespace conadv {

void UntakenBytes::Update(uint64_t id, uint64_t received_bytes, uint64_t taken_bytes) {
  Connection& connection = connections_[id];
  const double more = static_cast<double>(received_bytes - connection.received) -
                      static_cast<double>(taken_bytes - connection.taken);
  // Of compressed messages more is taken than has come: nobody saves that up.
  connection.rush = std::max(connection.rush + more, 0.0);
  connection.untaken = std::max(connection.untaken + more, 0.0);
  connection.received = received_bytes;
  connection.taken = taken_bytes;
}

double UntakenBytes::Total(double Connection::*bytes) const {
  double total = 0;
  for (const auto& [id, connection] : connections_) total += connection.*bytes;
  return total;
}

void UntakenBytes::Forget(absl::Time now) {
  const absl::Duration since = last_.has_value() ? now - *last_ : absl::ZeroDuration();
  last_ = now;
  const double seconds = absl::ToDoubleSeconds(since);
  const double rush = Total(&Connection::rush);
  // What has come now has not come over all the time that nothing did.
  const double no_rush = std::min(seconds, 1.0) * static_cast<double>(kNoRushEachSecond);
  const double kept_rush = no_rush < rush ? 1 - no_rush / rush : 0;
  const double kept = std::exp(-seconds * kForgottenEachSecond);
  for (auto& [id, connection] : connections_) {
    connection.rush *= kept_rush;
    connection.untaken *= kept;
  }
}

UntakenBytes::Victim UntakenBytes::TakeMost(double Connection::*bytes) {
  const auto most = std::max_element(
      connections_.begin(), connections_.end(),
      [bytes](const auto& a, const auto& b) { return a.second.*bytes < b.second.*bytes; });
  const Victim victim{most->first, static_cast<uint64_t>(most->second.*bytes)};
  connections_.erase(most);
  return victim;
}

UntakenBytes::Decision UntakenBytes::Look(const Limits& limits, uint64_t process_bytes,
                                          absl::Time now) {
  Forget(now);
  Decision decision;
  if (process_bytes + kReserveBytes <= limits.memory_bytes) return decision;
  const auto ahead = static_cast<double>(limits.sent_ahead_bytes);
  while (Total(&Connection::rush) > ahead) {
    decision.cut_off.push_back(TakeMost(&Connection::rush));
  }
  if (decision.cut_off.empty() && Total(&Connection::untaken) > ahead) {
    if (released_ == now) {
      decision.cut_off.push_back(TakeMost(&Connection::untaken));
    } else if (now - released_ >= kReleaseEach) {
      decision.release = true;
      released_ = now;
    }
  }
  return decision;
}

absl::Duration UntakenBytes::NextLook(const Limits& limits, uint64_t process_bytes) {
  const uint64_t left = limits.memory_bytes - std::min(limits.memory_bytes, process_bytes);
  return std::clamp(absl::Seconds(static_cast<double>(left) / kFastestBytesPerSecond),
                    kShortestWait, kLongestWait);
}

}  // namespace conadv
