// SPDX-License-Identifier: Apache-2.0
#include "common/base/idle_watch.h"

#include <gtest/gtest.h>

#include <set>

namespace conadv {
namespace {

TEST(IdleWatch, LetsGoOnceOfThoseWhoDoNothing) {
  IdleWatch watch;
  std::multiset<int> evict;
  const absl::Time begin = absl::UnixEpoch();
  for (const int id : {1, 2, 3})
    watch.Begin(
        id, [&evict, id] { evict.insert(id); }, begin);
  watch.OnProgress(2, begin + absl::Seconds(5));
  watch.OnProgress(9, begin);  // nobody
  watch.End(3);
  watch.EvictIdle(begin + absl::Seconds(9), absl::Seconds(10));
  EXPECT_TRUE(evict.empty());
  watch.EvictIdle(begin + absl::Seconds(10), absl::Seconds(10));
  watch.EvictIdle(begin + absl::Seconds(11), absl::Seconds(10));
  EXPECT_EQ(evict, std::multiset<int>({1}));
  watch.EvictIdle(begin + absl::Seconds(15), absl::Seconds(10));
  EXPECT_EQ(evict, std::multiset<int>({1, 2}));
}

}  // namespace
}  // namespace conadv
