// SPDX-License-Identifier: Apache-2.0
// The least time to wait before a refused call is made again: whoever refuses knows it, and it
// travels inside the status. Pure functions.
#ifndef CONADV_COMMON_BASE_RETRY_DELAY_H_
#define CONADV_COMMON_BASE_RETRY_DELAY_H_

#include <optional>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace conadv {

// Whole milliseconds are kept. REQUIRES: an error.
absl::Status WithRetryDelay(absl::Status status, absl::Duration delay);

// Nothing if the status says nothing of it.
std::optional<absl::Duration> RetryDelayOf(const absl::Status& status);

}  // namespace conadv

#endif  // CONADV_COMMON_BASE_RETRY_DELAY_H_
