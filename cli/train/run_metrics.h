// SPDX-License-Identifier: Apache-2.0
// A run's records on their way from its coordinator to metrics.jsonl. One thread.
#ifndef CONADV_CLI_TRAIN_RUN_METRICS_H_
#define CONADV_CLI_TRAIN_RUN_METRICS_H_

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "cli/client/metrics_feed.h"
#include "cli/results/metrics_file.h"
#include "cli/run/run_event.h"
#include "common/os/file.h"

namespace conadv {

class RunMetrics {
 public:
  // `path` is the file's; `files` outlives this.
  RunMetrics(std::string path, const FileSystem* files) : file_(std::move(path), files) {}

  // `coordinator` is an address; `wake`: see MetricsFeed.
  void Follow(const std::string& coordinator, std::function<void()> wake);
  void Stop() { feed_.reset(); }
  bool follows() const { return feed_ != nullptr; }

  // What came since the last call, for the run; the file has it with the next Write. REQUIRES:
  // follows().
  MetricsArrived Take();
  MetricsWritten Write();

 private:
  MetricsFile file_;
  std::unique_ptr<MetricsFeed> feed_;
};

}  // namespace conadv

#endif  // CONADV_CLI_TRAIN_RUN_METRICS_H_
