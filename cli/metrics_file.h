// SPDX-License-Identifier: Apache-2.0
// metrics.jsonl: a line for each update and each evaluation of the lineage that the run has now.
// When the run goes back to a checkpoint, what came after it is taken out. One thread.
#ifndef CONADV_CLI_METRICS_FILE_H_
#define CONADV_CLI_METRICS_FILE_H_

#include <cstdint>
#include <fstream>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "common/base/file.h"

namespace conadv {

struct KeptMetrics {
  std::string text;
  double seconds = 0;  // of training, at the last update that was kept
};

// The lines of updates up to `version`, and of evaluations before `final_version`. What is no line
// of ours, as half of one that was being written when its writer died, is dropped. Pure.
KeptMetrics KeepUpTo(absl::string_view text, uint64_t version, uint64_t final_version);

class MetricsFile {
 public:
  // `files` outlives this.
  MetricsFile(std::string path, const FileSystem* files);

  // The run goes on from `version`.
  absl::Status GoBackTo(uint64_t version, uint64_t final_version);
  void Append(absl::string_view line) { stream_ << line << "\n"; }
  absl::Status Flush();
  // Seconds of training before the lineage that is written now.
  double seconds_before() const { return seconds_before_; }

 private:
  const std::string path_;
  const FileSystem* const files_;
  std::ofstream stream_;
  double seconds_before_ = 0;
};

}  // namespace conadv

#endif  // CONADV_CLI_METRICS_FILE_H_
