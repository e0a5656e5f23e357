// SPDX-License-Identifier: Apache-2.0
#include "common/thread/parallel_for.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <vector>

namespace conadv {
namespace {

TEST(ParallelFor, CallsEachRoundOnceWhateverThePool) {
  ThreadPool none(0), three(3);
  for (ThreadPool* pool : {static_cast<ThreadPool*>(nullptr), &none, &three}) {
    for (const size_t rounds : {0, 1, 2, 1000}) {
      std::vector<std::atomic<int>> calls(rounds);
      ParallelFor(pool, rounds, [&calls](size_t i) { ++calls[i]; });
      for (const auto& count : calls) EXPECT_EQ(count, 1);
    }
  }
}

TEST(ParallelFor, ATaskOfThePoolMayCallItWhileTheOthersAreBusy) {
  ThreadPool pool(2);
  std::promise<void> let_go;
  const std::shared_future<void> free = let_go.get_future().share();
  pool.Submit([free] { free.wait(); });
  std::promise<size_t> done;
  pool.Submit([&pool, &done] {
    std::atomic<size_t> sum{0};
    ParallelFor(&pool, 100, [&sum](size_t i) { sum += i; });
    done.set_value(sum);
  });
  EXPECT_EQ(done.get_future().get(), 4950U);
  let_go.set_value();
}

}  // namespace
}  // namespace conadv
