// SPDX-License-Identifier: Apache-2.0
// How many may join in a while: a peer that joins and leaves without an end keeps the coordinator
// from its work. Pure state; not thread-safe.
#ifndef CONADV_SERVER_RPC_MEMBERSHIP_JOIN_RATE_H_
#define CONADV_SERVER_RPC_MEMBERSHIP_JOIN_RATE_H_

#include <algorithm>

#include "absl/time/time.h"

namespace conadv {

class JoinRate {
 public:
  // All members of a large run at once, as after the coordinator was lost.
  static constexpr double kMostAtOnce = 2000;
  static constexpr double kEachSecond = 100;

  // Whether one may join now. `now` never goes back.
  bool Take(absl::Time now) {
    const double seconds = absl::ToDoubleSeconds(now - last_);
    room_ = std::min(kMostAtOnce, room_ + std::max(seconds, 0.0) * kEachSecond);
    last_ = now;
    if (room_ < 1) return false;
    room_ -= 1;
    return true;
  }

 private:
  double room_ = kMostAtOnce;
  absl::Time last_ = absl::UnixEpoch();
};

}  // namespace conadv

#endif  // CONADV_SERVER_RPC_MEMBERSHIP_JOIN_RATE_H_
