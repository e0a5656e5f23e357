// SPDX-License-Identifier: Apache-2.0
#include "common/thread/parallel_for.h"

#include <algorithm>
#include <memory>

#include "common/thread/mutex.h"

namespace conadv {
namespace {

// Outlives the loop in tasks that begin when nothing is left to do.
struct Loop {
  Loop(size_t rounds_in, const std::function<void(size_t)>* round_in)
      : rounds(rounds_in), round(round_in) {}

  void Run() {
    while (true) {
      size_t i;
      {
        MutexLock lock(&mutex);
        if (next == rounds) return;
        i = next++;
      }
      (*round)(i);
      MutexLock lock(&mutex);
      if (++done == rounds) all_done.NotifyAll();
    }
  }

  const size_t rounds;
  const std::function<void(size_t)>* const round;  // there as long as a round is not done
  Mutex mutex;
  CondVar all_done;
  size_t next ABSL_GUARDED_BY(mutex) = 0;
  size_t done ABSL_GUARDED_BY(mutex) = 0;
};

}  // namespace

void ParallelFor(ThreadPool* pool, size_t rounds, const std::function<void(size_t)>& round) {
  if (pool == nullptr || rounds < 2) {
    for (size_t i = 0; i < rounds; ++i) round(i);
    return;
  }
  const auto loop = std::make_shared<Loop>(rounds, &round);
  // Beside this thread, which is mostly one of the pool's.
  for (size_t i = 1; i < std::min(rounds, pool->size()); ++i) {
    pool->Submit([loop] { loop->Run(); });
  }
  loop->Run();
  MutexLock lock(&loop->mutex);
  while (loop->done < rounds) loop->all_done.Wait(&loop->mutex);
}

}  // namespace conadv
