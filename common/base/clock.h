// SPDX-License-Identifier: Apache-2.0
// Where time comes from. Decisions take `now`; whoever drives them owns a Clock. Thread-safe.
#ifndef CONADV_COMMON_BASE_CLOCK_H_
#define CONADV_COMMON_BASE_CLOCK_H_

#include "absl/time/time.h"

namespace conadv {

class Clock {
 public:
  virtual ~Clock() = default;
  // Never goes back; only differences mean something.
  virtual absl::Time Now() const = 0;
  // The calendar, for what people read.
  virtual absl::Time WallNow() const = 0;

  static const Clock& Real();
};

}  // namespace conadv

#endif  // CONADV_COMMON_BASE_CLOCK_H_
