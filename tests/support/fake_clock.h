// SPDX-License-Identifier: Apache-2.0
// A clock that stands still until the test moves it. One thread.
#ifndef CONADV_TESTS_SUPPORT_FAKE_CLOCK_H_
#define CONADV_TESTS_SUPPORT_FAKE_CLOCK_H_

#include "common/base/clock.h"

namespace conadv {

class FakeClock final : public Clock {
 public:
  absl::Time Now() const override { return now; }
  absl::Time WallNow() const override { return now + wall_ahead; }
  absl::Time now = absl::UnixEpoch();
  absl::Duration wall_ahead;  // may jump
};

}  // namespace conadv

#endif  // CONADV_TESTS_SUPPORT_FAKE_CLOCK_H_
