// SPDX-License-Identifier: Apache-2.0
#include "cli/run/liveness.h"

#include <algorithm>

#include "cli/run/deployment.h"

namespace conadv {

void Liveness::OnAnswer(const std::string& coordinator, const std::set<std::string>& members,
                        absl::Time now) {
  coordinator_ = coordinator;
  answered_ = now;
  for (auto& [process, seen] : seen_) {
    if (process == coordinator || members.count(process) > 0) seen = {now, true};
  }
}

bool Liveness::IsLost(const Seen& seen, absl::Time now) const {
  return now - seen.last > (seen.took_part ? options_.most_away : options_.most_starting);
}

std::vector<std::string> Liveness::TakeLost(absl::Time now) {
  const bool paused = now - looked_ > options_.most_away / 2;
  looked_ = now;
  if (paused) {
    for (auto& [process, seen] : seen_) seen.last = now;
    return {};
  }
  std::vector<std::string> lost;
  const auto coordinator = seen_.find(coordinator_);
  if (coordinator != seen_.end() && IsLost(coordinator->second, now)) {
    lost.push_back(coordinator_);
  } else if (now - answered_ < options_.most_away / 2) {
    const bool server_away = std::any_of(seen_.begin(), seen_.end(), [this](const auto& entry) {
      return RoleOf(entry.first) == ProcessRole::kServer && entry.second.last < answered_;
    });
    for (auto& [process, seen] : seen_) {
      // Without all servers nobody else can take part, however much it wants to.
      const bool waits = server_away && RoleOf(process) != ProcessRole::kServer;
      if (waits) seen.last = now;
      if (IsLost(seen, now)) lost.push_back(process);
    }
  } else {
    // What the others did meanwhile is not known: they are not counted as away.
    for (auto& [process, seen] : seen_) {
      if (process != coordinator_) seen.last = std::max(seen.last, now);
    }
  }
  for (const std::string& process : lost) seen_.erase(process);
  return lost;
}

}  // namespace conadv
