// SPDX-License-Identifier: Apache-2.0
// How long a unit takes, and from when on a worker takes too long. Pure state; not thread-safe.
#ifndef CONADV_SERVER_LEASE_PACE_H_
#define CONADV_SERVER_LEASE_PACE_H_

#include <algorithm>
#include <cstdint>

#include "absl/time/time.h"

namespace conadv {

class Pace {
 public:
  // A worker finished a unit this long after the one before, or after it was granted one. Units
  // often come together, from a worker's threads or in one message; how long a worker needs is then
  // the time between such groups. So each wait counts by its length: the mean is that of the wait
  // during which somebody looks at any moment, and what comes at the same moment weighs nothing.
  void Add(absl::Duration took) {
    if (took <= absl::ZeroDuration()) return;
    // One that straggled says little of the others.
    if (++units_ > kEnough) took = std::min(took, std::max(kSlower * typical_, kShortest));
    const double seconds = absl::ToDoubleSeconds(took);
    // Means that follow: early units build engines and load pages, later ones do not.
    time_ = kKeep * time_ + seconds;
    square_ = kKeep * square_ + seconds * seconds;
    typical_ = absl::Seconds(square_ / time_);
  }
  absl::Duration typical() const { return typical_; }

  // A worker that takes longer straggles: its units are given to others as well. What is computed
  // twice counts once, so a mistake costs only time.
  absl::Duration patience(absl::Duration lease) const {
    if (units_ < kEnough) return lease;
    return std::max(kSlower * typical_, kShortest);
  }
  // A worker that takes longer is stuck.
  absl::Duration timeout(absl::Duration unit_timeout) const {
    return std::max(unit_timeout, 2 * kSlower * typical_);
  }

 private:
  static constexpr uint64_t kEnough = 8;
  static constexpr double kKeep = 1 - 1.0 / 32;
  static constexpr int kSlower = 4;
  static constexpr absl::Duration kShortest = absl::Milliseconds(500);

  uint64_t units_ = 0;
  double time_ = 0;
  double square_ = 0;
  absl::Duration typical_;
};

}  // namespace conadv

#endif  // CONADV_SERVER_LEASE_PACE_H_
