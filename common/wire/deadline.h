// SPDX-License-Identifier: Apache-2.0
// When a gRPC call ends at the latest. Of the monotonic clock, so that a step of the wall clock
// neither ends calls nor keeps them.
#ifndef CONADV_COMMON_WIRE_DEADLINE_H_
#define CONADV_COMMON_WIRE_DEADLINE_H_

#include <grpc/support/time.h>
#include <grpcpp/support/time.h>

#include <algorithm>

#include "absl/time/time.h"

namespace conadv {

// For ClientContext::set_deadline: `time` from now.
inline gpr_timespec DeadlineIn(absl::Duration time) {
  const absl::Duration bounded = std::clamp(time, absl::ZeroDuration(), absl::Hours(24 * 365));
  return gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
                      gpr_time_from_micros(absl::ToInt64Microseconds(bounded), GPR_TIMESPAN));
}

}  // namespace conadv

#endif  // CONADV_COMMON_WIRE_DEADLINE_H_
