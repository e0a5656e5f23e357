// SPDX-License-Identifier: Apache-2.0
// A run's records on their way from its coordinator to metrics.jsonl and to TensorBoard's event
// file. One thread.
#ifndef CONADV_CLI_TRAIN_RUN_METRICS_H_
#define CONADV_CLI_TRAIN_RUN_METRICS_H_

#include <functional>
#include <memory>
#include <string>

#include "cli/board/run_board.h"
#include "cli/client/metrics_feed.h"
#include "cli/results/metrics_file.h"
#include "cli/run/run_event.h"
#include "common/base/clock.h"
#include "common/job/job.h"
#include "common/os/file.h"

namespace conadv {

class RunMetrics {
 public:
  // `directory` is the run's; `note` takes a line for people. The pointers outlive this.
  RunMetrics(const std::string& directory, const TrainingOptions& training, const FileSystem* files,
             const Clock* clock, std::function<void(const std::string&)> note);

  // `coordinator` is an address; `wake`: see MetricsFeed.
  void Follow(const std::string& coordinator, std::function<void()> wake);
  void Stop();
  bool follows() const { return feed_ != nullptr; }

  // What came since the last call, for the run; the files have it with the next Write. REQUIRES:
  // follows().
  MetricsArrived Take();
  // The result is metrics.jsonl's: a run is whole without charts.
  MetricsWritten Write();

 private:
  MetricsFile file_;
  RunBoard board_;
  std::unique_ptr<MetricsFeed> feed_;
};

}  // namespace conadv

#endif  // CONADV_CLI_TRAIN_RUN_METRICS_H_
