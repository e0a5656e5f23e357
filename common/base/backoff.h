// SPDX-License-Identifier: Apache-2.0
// How long to wait before trying again: exponential, jittered, within a budget. One thread at a
// time.
#ifndef CONADV_COMMON_BASE_BACKOFF_H_
#define CONADV_COMMON_BASE_BACKOFF_H_

#include <cstdint>
#include <optional>
#include <random>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace conadv {

struct BackoffOptions {
  absl::Duration first = absl::Milliseconds(100);
  absl::Duration most = absl::Milliseconds(500);
  // Counted from the first failure of a row of failures.
  absl::Duration budget = absl::Seconds(60);
};

class Backoff {
 public:
  Backoff(const BackoffOptions& options, uint64_t seed);

  // Of a failure at `now`: half to all of first · 2^n, at most `most`; nothing once the budget is
  // spent. A peer that says how long to stay away (RetryDelayOf) knows better: then it is that long
  // to half as long again, and the row begins anew, budget and all: the peer is there, and whoever
  // was refused most often does not come back latest.
  std::optional<absl::Duration> Next(absl::Time now, const absl::Status& failure);
  std::optional<absl::Duration> Next(absl::Time now) { return Next(now, absl::OkStatus()); }
  // After a success.
  void Reset();

 private:
  double Between(double low, double high);

  const BackoffOptions options_;
  std::minstd_rand random_;
  absl::Duration step_;
  std::optional<absl::Time> first_failure_;
};

// Whether the same call may succeed if it is made again: the peer is away, overloaded, or answered
// too late.
bool IsTransient(const absl::Status& status);
// Whether a peer has said for good that it will not have this caller: the run has failed, the
// caller is refused, or the peer is something else. Whatever else it says, as while it starts or
// stops, may be otherwise at the next try.
bool IsLastWord(const absl::Status& status);

}  // namespace conadv

#endif  // CONADV_COMMON_BASE_BACKOFF_H_
