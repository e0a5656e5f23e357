// SPDX-License-Identifier: Apache-2.0
// metrics.jsonl: a line for each update and each evaluation of the lineage that the run has now.
// When the run goes back to a checkpoint, what came after it is taken out. While the disk takes
// nothing the lines wait in memory; the file has whole lines only, each once. One thread.
#ifndef CONADV_CLI_RESULTS_METRICS_FILE_H_
#define CONADV_CLI_RESULTS_METRICS_FILE_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "common/os/file.h"

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

  // The run goes on from `version`. It does so once before anything else. An error: the file cannot
  // be read; nothing is written to it then.
  absl::Status GoBackTo(uint64_t version, uint64_t final_version);
  // A line without its end, for Flush to write.
  void Append(absl::string_view line);
  // Writes what waits. After an error it waits on: try again.
  absl::Status Flush();
  // Lines that wait, and lines that will never be in the file, since there were too many.
  uint64_t waiting() const { return waiting_lines_; }
  uint64_t lost() const { return lost_lines_; }
  // Seconds of training before the lineage that is written now.
  double seconds_before() const { return seconds_before_; }

 private:
  const std::string path_;
  const FileSystem* const files_;
  uint64_t written_bytes_ = 0;  // whole lines at the file's beginning; what is after them goes
  std::string waiting_;         // what comes next
  uint64_t waiting_lines_ = 0;
  bool began_ = false;    // what the file has is known
  bool cut_ = false;      // what is after `written_bytes_` is still there
  bool replace_ = false;  // the whole file by what waits: its beginning is not what is wanted
  uint64_t lost_lines_ = 0;
  absl::Status unreadable_;
  double seconds_before_ = 0;
};

}  // namespace conadv

#endif  // CONADV_CLI_RESULTS_METRICS_FILE_H_
