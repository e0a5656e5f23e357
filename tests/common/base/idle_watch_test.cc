// SPDX-License-Identifier: Apache-2.0
#include "common/base/idle_watch.h"

#include <gtest/gtest.h>

#include <set>

namespace conadv {
namespace {

TEST(IdleWatch, LetsGoOnceOfThoseWhoDoNothing) {
  IdleWatch watch;
  std::multiset<int> let_go;
  const absl::Time begin = absl::UnixEpoch();
  for (const int id : {1, 2, 3})
    watch.Begin(
        id, [&let_go, id] { let_go.insert(id); }, begin);
  watch.Move(2, begin + absl::Seconds(5));
  watch.Move(9, begin);  // nobody
  watch.End(3);
  watch.LetGoOfIdle(begin + absl::Seconds(9), absl::Seconds(10));
  EXPECT_TRUE(let_go.empty());
  watch.LetGoOfIdle(begin + absl::Seconds(10), absl::Seconds(10));
  watch.LetGoOfIdle(begin + absl::Seconds(11), absl::Seconds(10));
  EXPECT_EQ(let_go, std::multiset<int>({1}));
  watch.LetGoOfIdle(begin + absl::Seconds(15), absl::Seconds(10));
  EXPECT_EQ(let_go, std::multiset<int>({1, 2}));
}

}  // namespace
}  // namespace conadv
