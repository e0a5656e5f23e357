// SPDX-License-Identifier: Apache-2.0
#include "common/base/backoff.h"

#include <algorithm>

namespace conadv {

Backoff::Backoff(const BackoffOptions& options, uint64_t seed)
    : options_(options),
      random_(static_cast<std::minstd_rand::result_type>(seed ^ (seed >> 32))),
      step_(options.first) {}

std::optional<absl::Duration> Backoff::Next(absl::Time now) {
  if (!first_failure_.has_value()) first_failure_ = now;
  const absl::Duration left = *first_failure_ + options_.budget - now;
  if (left <= absl::ZeroDuration()) return std::nullopt;
  const double share = std::uniform_real_distribution<double>(0.5, 1.0)(random_);
  const absl::Duration wait = std::min(step_ * share, left);
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

}  // namespace conadv
