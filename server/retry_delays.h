// SPDX-License-Identifier: Apache-2.0
// How long to send pushes away for that find no room. Pure state; not thread-safe.
#ifndef CONADV_SERVER_RETRY_DELAYS_H_
#define CONADV_SERVER_RETRY_DELAYS_H_

#include <algorithm>
#include <cstdint>

#include "absl/time/time.h"

namespace conadv {

// Whoever is refused is told to come back after those who were refused before it, as if they stood
// in a line: so a shard is asked at a steady rate however many want in, and not by all at once.
class RetryDelays {
 public:
  static constexpr absl::Duration kEach = absl::Milliseconds(20);
  static constexpr int64_t kLongestLine = 100;

  absl::Duration Refuse() {
    line_ = std::min(line_ + 1, kLongestLine);
    return kEach * line_;
  }
  // One got in. With half of the room free there is no line any more.
  void Admit(uint64_t in_use, uint64_t room) {
    line_ = in_use * 2 <= room ? 0 : std::max<int64_t>(line_ - 1, 0);
  }

 private:
  int64_t line_ = 0;
};

}  // namespace conadv

#endif  // CONADV_SERVER_RETRY_DELAYS_H_
