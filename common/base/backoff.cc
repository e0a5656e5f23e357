// SPDX-License-Identifier: Apache-2.0
#include "common/base/backoff.h"

#include <algorithm>

#include "common/base/retry_delay.h"

namespace conadv {

Backoff::Backoff(const BackoffOptions& options, uint64_t seed)
    : options_(options),
      random_(static_cast<std::minstd_rand::result_type>(seed ^ (seed >> 32))),
      step_(options.first) {}

double Backoff::Between(double low, double high) {
  return std::uniform_real_distribution<double>(low, high)(random_);
}

std::optional<absl::Duration> Backoff::Next(absl::Time now, const absl::Status& failure) {
  if (const std::optional<absl::Duration> least = RetryDelayOf(failure); least.has_value()) {
    Reset();
    return *least * Between(1.0, 1.5);
  }
  if (!first_failure_.has_value()) first_failure_ = now;
  const absl::Duration left = *first_failure_ + options_.budget - now;
  if (left <= absl::ZeroDuration()) return std::nullopt;
  const absl::Duration wait = std::min(step_ * Between(0.5, 1.0), left);
  step_ = std::min(step_ * 2, options_.most);
  return wait;
}

void Backoff::Reset() {
  first_failure_.reset();
  step_ = options_.first;
}

bool IsTransient(const absl::Status& status) {
  return absl::IsUnavailable(status) || absl::IsResourceExhausted(status) ||
         absl::IsDeadlineExceeded(status);
}

bool IsLastWord(const absl::Status& status) {
  return absl::IsInvalidArgument(status) || absl::IsAborted(status) ||
         absl::IsPermissionDenied(status) || absl::IsUnauthenticated(status) ||
         absl::IsUnimplemented(status);
}

}  // namespace conadv
