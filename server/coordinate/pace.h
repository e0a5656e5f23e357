// SPDX-License-Identifier: Apache-2.0
// How long a unit takes, and from when on a worker takes too long. Pure state; not thread-safe.
#ifndef CONADV_SERVER_COORDINATE_PACE_H_
#define CONADV_SERVER_COORDINATE_PACE_H_

#include <algorithm>
#include <cstdint>

#include "absl/time/time.h"

namespace conadv {

class Pace {
 public:
  // A worker finished a unit this long after its turn came.
  void Add(absl::Duration took) {
    ++units_;
    // A mean that follows: early units build engines and load pages, later ones do not.
    typical_ += (took - typical_) / static_cast<int64_t>(std::min<uint64_t>(units_, kMemory));
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
  static constexpr uint64_t kMemory = 64;
  static constexpr int kSlower = 4;
  static constexpr absl::Duration kShortest = absl::Milliseconds(500);

  uint64_t units_ = 0;
  absl::Duration typical_;
};

}  // namespace conadv

#endif  // CONADV_SERVER_COORDINATE_PACE_H_
