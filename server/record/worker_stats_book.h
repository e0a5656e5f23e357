// SPDX-License-Identifier: Apache-2.0
// What workers last said of themselves, by name: of those heard of late, as many as find room.
// Thread-safe.
#ifndef CONADV_SERVER_RECORD_WORKER_STATS_BOOK_H_
#define CONADV_SERVER_RECORD_WORKER_STATS_BOOK_H_

#include <cstdint>
#include <map>
#include <string>

#include "absl/status/status.h"
#include "common/base/status_macros.h"
#include "common/stats/histogram_proto.h"
#include "common/thread/mutex.h"
#include "conadv/v1/stats.pb.h"
#include "server/record/worker_sums.h"
#include "server/shard/recent_by_name.h"

namespace conadv {

class WorkerStatsBook {
 public:
  static constexpr uint64_t kMostBytes = (4 << 20) + AllWorkerSums::kMostBytes;

  // INVALID_ARGUMENT: histograms that cannot be.
  absl::Status Set(const std::string& worker, const v1::WorkerStats& stats) {
    CONADV_RETURN_IF_ERROR(FromProto(stats.pull_micros()).status());
    CONADV_RETURN_IF_ERROR(FromProto(stats.push_micros()).status());
    const WorkerSums sums = WorkerSums::Of(stats);
    MutexLock lock(&mutex_);
    sums_.Set(worker, sums);
    by_worker_.Touch(worker, [&stats](v1::WorkerStats& to) {
      to = stats;
      return to.SpaceUsedLong();
    });
    return absl::OkStatus();
  }
  std::map<std::string, v1::WorkerStats> Read() const {
    MutexLock lock(&mutex_);
    return by_worker_.Read();
  }
  // Of all that ever reported.
  WorkerSums sums() const {
    MutexLock lock(&mutex_);
    return sums_.all();
  }
  uint64_t bytes() const {
    MutexLock lock(&mutex_);
    return by_worker_.bytes() + sums_.bytes();
  }

 private:
  mutable Mutex mutex_;
  RecentByName<v1::WorkerStats> by_worker_ ABSL_GUARDED_BY(mutex_){kMostBytes -
                                                                   AllWorkerSums::kMostBytes};
  AllWorkerSums sums_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace conadv

#endif  // CONADV_SERVER_RECORD_WORKER_STATS_BOOK_H_
