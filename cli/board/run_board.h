// SPDX-License-Identifier: Apache-2.0
// What TensorBoard shows of a run, on its way from the run's records to an event file. A run is
// whole without it, so what the disk refuses is said and no more. One thread.
#ifndef CONADV_CLI_BOARD_RUN_BOARD_H_
#define CONADV_CLI_BOARD_RUN_BOARD_H_

#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "cli/board/event_file.h"
#include "cli/board/run_events.h"
#include "common/base/clock.h"
#include "common/job/job.h"
#include "common/os/file.h"
#include "conadv/v1/inspector.pb.h"

namespace conadv {

class RunBoard {
 public:
  // A new file in `directory`. `host` is this machine's name; `note` takes a line for people. The
  // pointers outlive this.
  RunBoard(std::string directory, std::string host, const TrainingOptions& training,
           const FileSystem* files, const Clock* clock,
           std::function<void(const std::string&)> note);

  // As RunEvents: the file has it with the next Write.
  void Begin(uint64_t version, uint64_t final_version, double seconds);
  void Take(const v1::MetricsRecord& record);
  // The last call. It writes.
  void End();
  // Says so once if it cannot be done, and once when it can be again; tries at most once a second
  // meanwhile.
  void Write();

 private:
  void Append(const RunEvents::Events& events);
  void Flush();

  const Clock* const clock_;
  const std::function<void(const std::string&)> note_;
  RunEvents events_;
  EventFile file_;
  absl::Status status_;  // of the last attempt
  absl::Time again_ = absl::InfinitePast();
};

}  // namespace conadv

#endif  // CONADV_CLI_BOARD_RUN_BOARD_H_
