// SPDX-License-Identifier: Apache-2.0
#include "server/rpc/connections/untaken_bytes.h"

#include <algorithm>

namespace conadv {

void UntakenBytes::Update(uint64_t id, uint64_t received_bytes, uint64_t taken_bytes) {
  Connection& connection = connections_[id];
  const uint64_t untaken = connection.untaken + (received_bytes - connection.received);
  const uint64_t taken = taken_bytes - connection.taken;
  // Compressed, more is taken than has come: nobody saves that up.
  connection.untaken = untaken - std::min(untaken, taken);
  connection.received = received_bytes;
  connection.taken = taken_bytes;
}

uint64_t UntakenBytes::total() const {
  uint64_t total = 0;
  for (const auto& [id, connection] : connections_) total += connection.untaken;
  return total;
}

void UntakenBytes::Forget(absl::Time now) {
  const double seconds = std::clamp(absl::ToDoubleSeconds(now - last_), 0.0, 1e6);
  last_ = now;
  const auto all = static_cast<double>(total());
  const double forgotten = seconds * static_cast<double>(kForgottenEachSecond);
  const double kept = forgotten < all ? 1 - forgotten / all : 0;
  for (auto& [id, connection] : connections_) {
    connection.untaken = static_cast<uint64_t>(kept * static_cast<double>(connection.untaken));
  }
}

std::optional<UntakenBytes::Victim> UntakenBytes::Look(const Limits& limits, uint64_t process_bytes,
                                                       absl::Time now) {
  Forget(now);
  if (process_bytes + kReserveBytes <= limits.memory_bytes) return std::nullopt;
  if (total() <= limits.sent_ahead_bytes) return std::nullopt;
  const auto most = std::max_element(
      connections_.begin(), connections_.end(),
      [](const auto& a, const auto& b) { return a.second.untaken < b.second.untaken; });
  const Victim victim{most->first, most->second.untaken};
  connections_.erase(most);
  return victim;
}

absl::Duration UntakenBytes::NextLook(const Limits& limits, uint64_t process_bytes) {
  const uint64_t left = limits.memory_bytes - std::min(limits.memory_bytes, process_bytes);
  return std::clamp(absl::Seconds(static_cast<double>(left) / kFastestBytesPerSecond),
                    kShortestWait, kLongestWait);
}

}  // namespace conadv
