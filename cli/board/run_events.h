// SPDX-License-Identifier: Apache-2.0
// A run's records as events for TensorBoard. An event's step is the version of the weights. Pure:
// no disk, no clock. One thread.
#ifndef CONADV_CLI_BOARD_RUN_EVENTS_H_
#define CONADV_CLI_BOARD_RUN_EVENTS_H_

#include <cstdint>
#include <vector>

#include "absl/time/time.h"
#include "common/job/job.h"
#include "common/job/streams.h"
#include "conadv/tensorboard/event.pb.h"
#include "conadv/v1/inspector.pb.h"

namespace conadv {

class RunEvents {
 public:
  using Events = std::vector<tensorboard::Event>;

  explicit RunEvents(const TrainingOptions& training);

  // The run goes on from `version`, which took `seconds` of training; it ends with `final_version`.
  // What came of later versions is void, here and for whoever reads the events; so is a histogram
  // of later and of earlier ones, and the earlier ones are in no other. Comes before the first
  // record.
  Events Begin(uint64_t version, uint64_t final_version, double seconds, absl::Time wall_now);
  // Scalars of an update or an evaluation. About fifty times in a run, of ten updates at least,
  // also what is said of all updates since the last time: examples/s and histograms of their
  // staleness.
  Events Take(const v1::MetricsRecord& record, absl::Time wall_now);
  // Nothing more comes: what is said of the updates that wait to be enough.
  Events End(absl::Time wall_now);

 private:
  // An update's; means over its contributions in whole versions. In SYNC all of them have the same
  // staleness, else there is one of each stream.
  struct Update {
    uint64_t version = 0;
    double seconds = 0;
    uint64_t attack = 0;
    uint64_t update = 0;
  };

  void AddScalars(const v1::MetricsRecord::Step& step, tensorboard::Summary* summary) const;
  void AddScalars(const v1::ReportRequest& evaluation, tensorboard::Summary* summary) const;
  // Of `updates_`, which go.
  void CloseWindow(tensorboard::Summary* summary);

  const GradientStreams streams_;
  const double examples_per_update_;
  uint64_t final_version_ = 0;
  std::vector<Update> updates_;  // since the last histogram
  // What comes before them.
  uint64_t window_version_ = 0;
  double window_seconds_ = 0;
};

}  // namespace conadv

#endif  // CONADV_CLI_BOARD_RUN_EVENTS_H_
