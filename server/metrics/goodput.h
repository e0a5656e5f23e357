// SPDX-License-Identifier: Apache-2.0
// How much of what a process did is in the weights that it serves now: a return to a checkpoint
// undoes what came after it. Pure state; not thread-safe.
#ifndef CONADV_SERVER_METRICS_GOODPUT_H_
#define CONADV_SERVER_METRICS_GOODPUT_H_

#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>

#include "absl/time/time.h"
#include "common/base/ids.h"

namespace conadv {

class Goodput {
 public:
  // What is seen of a lineage, again and again. One that follows another begins at `first`, which
  // is a version of those before it, or comes from elsewhere.
  struct Sight {
    Lineage lineage;
    Version first;  // that it began with
    Version newest;
    absl::Time began;  // when it had that
    absl::Time last;   // when it had the newest
  };
  void See(const Sight& sight);

  // All rise.
  struct Sums {
    uint64_t lineages = 0;
    uint64_t made_updates = 0;
    uint64_t lost_updates = 0;
    absl::Duration trained;  // from the first lineage's begin to the last update
    absl::Duration lost;     // of it
  };
  Sums sums() const;

  // Updates of one lineage that still count, and the time that they took.
  struct Kept {
    Version first;
    Version newest;
    absl::Duration time;
  };
  // All of it, for a process that goes on where this one ended.
  struct Record {
    Lineage lineage;
    std::vector<Kept> kept;  // never empty
    Sums sums;
    absl::Time last;  // update; the calendar's
  };
  // Nothing before anything was seen. `now` is the clock's, `wall_now` the calendar's.
  std::optional<Record> ToRecord(absl::Time now, absl::Time wall_now) const;
  // For a process that has `started`: what was made between the record and the first lineage that
  // it sees was made before, and the time from then on is lost. REQUIRES: record.kept is not empty.
  static Goodput FromRecord(const Record& record, absl::Time started, absl::Time now,
                            absl::Time wall_now);

 private:
  // A run that went back more often has the oldest ones taken for one.
  static constexpr size_t kMostKept = 64;

  void Begin(const Sight& sight);
  // Takes back what was made of versions after `version`.
  void TakeBack(Version version);
  // What was made after the last look, up to `version`, and the time that it took: at most `most`.
  absl::Duration AddUnseen(Version version, absl::Duration most);

  Lineage lineage_;
  std::vector<Kept> kept_;  // by rising versions; the last is the present lineage's
  uint64_t lineages_ = 0;
  uint64_t made_ = 0;
  uint64_t lost_ = 0;
  std::optional<absl::Time> began_;
  std::optional<absl::Time> started_;  // of a process that follows another
  absl::Time last_;
  absl::Duration lost_time_;
};

}  // namespace conadv

#endif  // CONADV_SERVER_METRICS_GOODPUT_H_
