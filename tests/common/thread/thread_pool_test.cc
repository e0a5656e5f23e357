// SPDX-License-Identifier: Apache-2.0
#include "common/thread/thread_pool.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

namespace conadv {
namespace {

TEST(ThreadPool, ATaskThatDoesNotEndIsKnownByItsNumberThoughOthersPass) {
  ThreadPool pool(0);
  uint64_t stuck = 0;
  uint64_t beside = 0;
  EXPECT_EQ(pool.oldest_task(), 0U);
  pool.Submit([&] {
    stuck = pool.oldest_task();
    EXPECT_NE(stuck, 0U);
    pool.RunOne();
    EXPECT_EQ(pool.oldest_task(), stuck) << "as another thread would see it";
    EXPECT_FALSE(pool.WaitFor(stuck, absl::ZeroDuration()));
  });
  pool.Submit([&] { beside = pool.oldest_task(); });
  pool.RunOne();
  EXPECT_EQ(beside, stuck);
  EXPECT_EQ(pool.oldest_task(), 0U);
  EXPECT_TRUE(pool.WaitFor(stuck, absl::ZeroDuration()));
}

TEST(ThreadPool, ABackgroundThreadGivesWayAndNoOtherDoes) {
  const int before = ::getpriority(PRIO_PROCESS, 0);
  int background = before;
  int normal = before;
  {
    ThreadPool pool(1, ThreadPriority::kBackground);
    pool.Submit([&] { background = ::getpriority(PRIO_PROCESS, 0); });
  }
  {
    ThreadPool pool(1);
    pool.Submit([&] { normal = ::getpriority(PRIO_PROCESS, 0); });
  }
  EXPECT_GE(background, 10);
  EXPECT_EQ(normal, before);
  EXPECT_EQ(::getpriority(PRIO_PROCESS, 0), before);
}

}  // namespace
}  // namespace conadv
