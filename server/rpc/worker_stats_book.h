// SPDX-License-Identifier: Apache-2.0
// What workers last said of themselves, by name. Thread-safe.
#ifndef CONADV_SERVER_RPC_WORKER_STATS_BOOK_H_
#define CONADV_SERVER_RPC_WORKER_STATS_BOOK_H_

#include <map>
#include <string>

#include "absl/status/status.h"
#include "common/base/mutex.h"
#include "common/base/status_macros.h"
#include "common/stats/histogram_proto.h"
#include "conadv/v1/stats.pb.h"

namespace conadv {

class WorkerStatsBook {
 public:
  // INVALID_ARGUMENT: histograms that cannot be. What workers of too many names say is not kept.
  absl::Status Set(const std::string& worker, const v1::WorkerStats& stats) {
    CONADV_RETURN_IF_ERROR(FromProto(stats.pull_micros()).status());
    CONADV_RETURN_IF_ERROR(FromProto(stats.push_micros()).status());
    MutexLock lock(&mutex_);
    if (by_worker_.size() < kMostWorkers || by_worker_.count(worker) > 0) {
      by_worker_[worker] = stats;
    }
    return absl::OkStatus();
  }
  std::map<std::string, v1::WorkerStats> Read() const {
    MutexLock lock(&mutex_);
    return by_worker_;
  }

 private:
  static constexpr size_t kMostWorkers = 4096;

  mutable Mutex mutex_;
  std::map<std::string, v1::WorkerStats> by_worker_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace conadv

#endif  // CONADV_SERVER_RPC_WORKER_STATS_BOOK_H_
