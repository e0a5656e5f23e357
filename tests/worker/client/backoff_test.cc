// SPDX-License-Identifier: Apache-2.0
#include "worker/client/backoff.h"

#include <gtest/gtest.h>

#include "worker/client/timer.h"

namespace conadv {
namespace {

TEST(Backoff, WaitsGrowUpToTheMostAndAreJittered) {
  BackoffOptions options;
  options.first = absl::Milliseconds(100);
  options.most = absl::Seconds(1);
  Backoff backoff(options, 1), other(options, 2);
  absl::Duration expected = options.first;
  bool differs = false;
  for (int i = 0; i < 10; ++i) {
    const absl::Duration wait = *backoff.Next(absl::UnixEpoch());
    EXPECT_GE(wait, expected / 2);
    EXPECT_LE(wait, expected);
    differs = differs || wait != *other.Next(absl::UnixEpoch());
    expected = std::min(expected * 2, options.most);
  }
  EXPECT_TRUE(differs);
}

TEST(Backoff, TheBudgetCountsFromTheFirstFailureInARow) {
  BackoffOptions options;
  options.budget = absl::Seconds(10);
  Backoff backoff(options, 1);
  const absl::Time begin = absl::UnixEpoch();
  EXPECT_TRUE(backoff.Next(begin).has_value());
  EXPECT_LE(*backoff.Next(begin + absl::Milliseconds(9990)), absl::Milliseconds(10));
  EXPECT_FALSE(backoff.Next(begin + absl::Seconds(10)).has_value());
  backoff.Reset();
  EXPECT_TRUE(backoff.Next(begin + absl::Seconds(11)).has_value());
}

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
