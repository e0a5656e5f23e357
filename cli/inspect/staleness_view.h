// SPDX-License-Identifier: Apache-2.0
// The staleness of a running job as a screen that is drawn over and over: what it is now, what it
// was at the looks before, and who waits for what. Knows neither terminal nor clock. One thread.
#ifndef CONADV_CLI_INSPECT_STALENESS_VIEW_H_
#define CONADV_CLI_INSPECT_STALENESS_VIEW_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "conadv/v1/inspector.pb.h"
#include "conadv/v1/stats.pb.h"

namespace conadv {

class StalenessView {
 public:
  // An answer that came at `at`, of a clock that does not go back. "Now" is what came since the
  // answer before; of a server that counts anew, all that it has counted.
  void Add(const v1::StalenessResponse& answer, absl::Time at);

  // At most `rows` lines of at most `columns` code points each: the tables are cut before the
  // histograms are. `wall` is the calendar's time. `note` stands in the last line if it is not
  // empty.
  std::vector<std::string> Lines(size_t columns, size_t rows, absl::Time wall,
                                 absl::string_view note) const;

 private:
  // Means of what came between two looks, newest last; < 0: nothing came.
  struct Trend {
    std::deque<double> means;
    void Add(const v1::Histogram& now, const v1::Histogram& before);
  };

  // What a worker says of its own time, which it does with some of its heartbeats.
  struct Reports {
    v1::WorkerStats last;
    v1::WorkerStats before;  // another one
  };
  std::vector<std::vector<std::string>> WorkerRows() const;

  v1::StalenessResponse answer_;
  v1::StalenessResponse before_;
  absl::Duration since_;  // between the two; 0: there is only one
  absl::Time at_ = absl::InfinitePast();
  Trend attack_;
  Trend update_;
  std::map<uint64_t, Reports> reports_;  // of the answer's workers
};

}  // namespace conadv

#endif  // CONADV_CLI_INSPECT_STALENESS_VIEW_H_
