// SPDX-License-Identifier: Apache-2.0
// How long to send pushes away for that find no room. Pure state; not thread-safe.
#ifndef CONADV_SERVER_SHARD_RETRY_DELAYS_H_
#define CONADV_SERVER_SHARD_RETRY_DELAYS_H_

#include <algorithm>
#include <cstdint>
#include <optional>

#include "absl/time/time.h"

namespace conadv {

// Whoever is refused is told to come back when its turn may be near: so a shard is asked at a
// steady rate however many want in, and not by all at once.
class RetryDelays {
 public:
  static constexpr absl::Duration kEach = absl::Milliseconds(20);
  static constexpr absl::Duration kShortest = absl::Milliseconds(1);
  static constexpr absl::Duration kLongest = absl::Seconds(2);
  static constexpr int64_t kLongestLine = 100;  // times kEach is kLongest

  // Any may come next: after those who were refused before it, as if they stood in a line.
  absl::Duration Refuse() {
    line_ = std::min(line_ + 1, kLongestLine);
    return kEach * line_;
  }
  // One got in. With half of the room free there is no line any more.
  void Admit(uint64_t in_use, uint64_t room) {
    line_ = in_use * 2 <= room ? 0 : std::max<int64_t>(line_ - 1, 0);
  }
  // So many have to come before it. A quarter of the time that those will take as they come now:
  // early and refused once more it has lost little, late it holds up all that come after it.
  absl::Duration RefuseBehind(uint64_t ahead) const {
    return std::clamp(pace_ * ahead / 4, kShortest, kLongest);
  }
  // One has come whole.
  void Arrive(absl::Time now) {
    if (last_.has_value()) pace_ += (std::min(now - *last_, kLongest) - pace_) / 8;
    last_ = now;
  }

 private:
  int64_t line_ = 0;
  absl::Duration pace_ = kEach;  // between two that come
  std::optional<absl::Time> last_;
};

}  // namespace conadv

#endif  // CONADV_SERVER_SHARD_RETRY_DELAYS_H_
