// SPDX-License-Identifier: Apache-2.0
// When a run's records are written, and what is said when they cannot be. Pure. One thread.
#ifndef CONADV_CLI_RUN_METRICS_WRITING_H_
#define CONADV_CLI_RUN_METRICS_WRITING_H_

#include <cstdint>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "cli/progress/progress.h"
#include "cli/run/run_event.h"

namespace conadv {

class MetricsWriting {
 public:
  // `path`: metrics.jsonl's, for messages.
  explicit MetricsWriting(std::string path) : path_(std::move(path)) {}

  bool IsDue(absl::Time now) const { return now >= again_; }
  // A line for people, if there is something new to say.
  std::string OnWritten(const MetricsWritten& written, absl::Time now);
  // Of the last attempt.
  const absl::Status& status() const { return status_; }
  // What the file does not have, and why; empty if it is complete.
  std::string Missing(const ProgressState& progress) const;

 private:
  const std::string path_;
  absl::Status status_;
  uint64_t missing_ = 0;
  absl::Time again_ = absl::InfinitePast();
};

}  // namespace conadv

#endif  // CONADV_CLI_RUN_METRICS_WRITING_H_
