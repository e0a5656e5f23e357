// SPDX-License-Identifier: Apache-2.0
// A loop whose rounds may run at the same time. Thread-safe.
#ifndef CONADV_COMMON_THREAD_PARALLEL_FOR_H_
#define CONADV_COMMON_THREAD_PARALLEL_FOR_H_

#include <cstddef>
#include <functional>

#include "common/thread/thread_pool.h"

namespace conadv {

// Calls round(i) for every i < rounds, on this thread and on those of the pool that have nothing
// else to do, and returns when all have returned. This thread never waits for a task that has not
// begun, so a task of the pool may call it. `pool` may be nullptr: this thread alone.
void ParallelFor(ThreadPool* pool, size_t rounds, const std::function<void(size_t)>& round);

}  // namespace conadv

#endif  // CONADV_COMMON_THREAD_PARALLEL_FOR_H_
