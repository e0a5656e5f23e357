// SPDX-License-Identifier: Apache-2.0
// Where an attack's staleness arose, by what was the newest version that the worker knew of.
#ifndef CONADV_WORKER_SCHEDULE_ATTACK_ORIGINS_H_
#define CONADV_WORKER_SCHEDULE_ATTACK_ORIGINS_H_

#include <algorithm>
#include <optional>

#include "common/base/ids.h"
#include "common/protocol/contribution.h"

namespace conadv {

// The newest version that the worker had seen at each of these moments, which follow one another;
// nothing: it had seen none yet.
struct VersionsSeen {
  std::optional<Version> granted;  // it got the unit
  std::optional<Version> begun;    // a lane began the attack
  std::optional<Version> ended;    // and had done it
};

// `first`: the first version that the worker saw after all, which was the newest before it knew.
// REQUIRES: attack <= update. Pure.
inline AttackOrigins OriginsOf(const VersionsSeen& seen, Version first, Version attack,
                               Version update) {
  const auto staleness = [&](const std::optional<Version>& newest) {
    return static_cast<uint32_t>(std::clamp(newest.value_or(first), attack, update).Since(attack));
  };
  return {staleness(seen.granted), staleness(seen.ended) - staleness(seen.begun)};
}

}  // namespace conadv

#endif  // CONADV_WORKER_SCHEDULE_ATTACK_ORIGINS_H_
