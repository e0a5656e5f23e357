// SPDX-License-Identifier: Apache-2.0
#include "worker/evaluate/batches.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <future>
#include <thread>
#include <utility>
#include <vector>

#include "common/thread/mutex.h"
#include "glog/logging.h"

namespace conadv {
namespace {

// Threads that are joined whatever happens.
class Runners {
 public:
  ~Runners() { Join(); }
  template <class Run>
  void Add(Run run) {
    threads_.emplace_back(std::move(run));
  }
  void Join() {
    for (std::thread& thread : std::exchange(threads_, {})) thread.join();
  }

 private:
  std::vector<std::thread> threads_;
};

}  // namespace

absl::Status RunBatches(const BatchRun& run, Device& device) {
  CHECK_GE(run.threads, 1);
  std::atomic<uint64_t> next{0};
  std::atomic<bool> over{false};  // before all batches are done
  Mutex mutex;
  absl::Status first_error;
  const auto stop = [&](const absl::Status& error) {
    over = true;
    MutexLock lock(&mutex);
    first_error.Update(error);
  };
  const auto begin_load = [&](uint64_t batch) {
    return batch < run.batches ? std::async(std::launch::async, run.load, batch)
                               : std::future<absl::StatusOr<HostBatch>>();
  };
  const auto compute = [&](Replica& replica) {
    uint64_t batch = next++;
    auto loading = begin_load(batch);
    while (loading.valid() && !over) {
      const absl::StatusOr<HostBatch> loaded = loading.get();
      if (!loaded.ok()) return stop(loaded.status());
      const uint64_t then = next++;
      loading = begin_load(then);
      run.compute(replica, *loaded, batch);
      if (!run.go_on()) stop(absl::CancelledError("told to stop"));
      batch = then;
    }
  };
  try {
    Runners runners;
    const auto wanted = std::min<uint64_t>(static_cast<uint64_t>(run.threads), run.batches);
    for (uint64_t i = 0; i < wanted; ++i) {
      // Made here, not in the thread: a factory is not thread-safe.
      runners.Add([&, replica = run.make_replica()] {
        try {
          device.PrepareThread();
          compute(*replica);
        } catch (const std::exception& error) {
          stop(absl::InternalError(error.what()));
        }
      });
    }
  } catch (const std::exception& error) {
    stop(absl::InternalError(error.what()));
  }
  return first_error;
}

}  // namespace conadv
