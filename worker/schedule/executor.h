// SPDX-License-Identifier: Apache-2.0
// Threads and the one queue they take tasks of units from: the worker's compute threads ("lanes"),
// or those that load examples. Update tasks go before attack tasks, and of each kind the earliest
// unit first, so that attacks fill the time in which an update waits for weights. Knows neither
// LibTorch nor the network. Thread-safe.
#ifndef CONADV_WORKER_SCHEDULE_EXECUTOR_H_
#define CONADV_WORKER_SCHEDULE_EXECUTOR_H_

#include <functional>
#include <map>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

#include "absl/status/status.h"
#include "common/base/clock.h"
#include "common/base/ids.h"
#include "common/thread/mutex.h"
#include "worker/statistics/statistics.h"

namespace conadv {

enum class Priority { kUpdate, kAttack };

class Executor {
 public:
  using Task = std::function<void(int lane)>;

  // At most `capacity` tasks wait. Each lane calls `prepare` before its first task. `statistics`,
  // which is told of the lanes' time unless it is nullptr, and `clock` outlive the executor. `name`
  // is that of the threads, for people and tools that look at the process: at most 11 bytes.
  Executor(int lanes, size_t capacity, const std::function<void()>& prepare,
           WorkerStatistics* statistics, const Clock& clock, const std::string& name = "lane");
  // As Stop().
  ~Executor();

  // RESOURCE_EXHAUSTED: the queue is full; CANCELLED: stopped. Never waits.
  absl::Status Submit(Priority priority, Unit unit, Task task);
  // What idle lanes are waiting for from now on.
  void SetWaitCause(WaitCause cause);
  // Drops what waits, and waits for what runs. Not to be called from a task.
  void Stop();

  int lanes() const { return static_cast<int>(threads_.size()); }

 private:
  // The last is the order of arrival.
  using Key = std::tuple<Priority, Unit, uint64_t>;

  void Loop(int lane, const std::string& name, const std::function<void()>& prepare);
  // Books the time since the last booking: of idle lanes to the cause, of the others as busy.
  void Book() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const size_t capacity_;
  WorkerStatistics* const statistics_;
  const Clock& clock_;
  Mutex mutex_;
  CondVar changed_;
  std::map<Key, Task> queue_ ABSL_GUARDED_BY(mutex_);
  uint64_t arrivals_ ABSL_GUARDED_BY(mutex_) = 0;
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
  WaitCause cause_ ABSL_GUARDED_BY(mutex_) = WaitCause::kLease;
  int idle_ ABSL_GUARDED_BY(mutex_) = 0;
  int busy_ ABSL_GUARDED_BY(mutex_) = 0;
  absl::Time booked_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::thread> threads_;
};

}  // namespace conadv

#endif  // CONADV_WORKER_SCHEDULE_EXECUTOR_H_
