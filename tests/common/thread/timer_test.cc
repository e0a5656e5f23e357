// SPDX-License-Identifier: Apache-2.0
#include "common/thread/timer.h"

#include <gtest/gtest.h>

#include <vector>

#include "common/thread/mutex.h"

namespace conadv {
namespace {

TEST(ThreadTimer, RunsInOrderOfTimeAndDropsWhatIsPending) {
  std::vector<int> ran;
  Mutex mutex;
  CondVar changed;
  ThreadTimer timer;
  const auto note = [&](int i) {
    return [&, i] {
      MutexLock lock(&mutex);
      ran.push_back(i);
      changed.NotifyAll();
    };
  };
  timer.After(absl::Hours(1), note(9));
  timer.After(absl::Milliseconds(20), note(2));
  timer.After(absl::ZeroDuration(), note(1));
  {
    MutexLock lock(&mutex);
    while (ran.size() < 2) changed.Wait(&mutex);
  }
  timer.Stop();
  timer.After(absl::ZeroDuration(), note(3));
  EXPECT_EQ(ran, (std::vector<int>{1, 2}));
}

}  // namespace
}  // namespace conadv
