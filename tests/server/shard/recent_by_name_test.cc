// SPDX-License-Identifier: Apache-2.0
// What is kept of those who come and go under ever new names.
#include "server/shard/recent_by_name.h"

#include <gtest/gtest.h>

#include "server/shard/staleness_book.h"
#include "tests/support/streams.h"

namespace conadv {
namespace {

TEST(RecentByName, ThoseHeardLongestAgoMakeRoom) {
  RecentByName<int> book(2000);
  const auto touch = [&book](const std::string& name, uint64_t bytes) {
    book.Touch(name, [bytes](int& value) {
      ++value;
      return bytes;
    });
    EXPECT_LE(book.bytes(), 2000U);
  };
  touch("a", 500);
  touch("b", 500);
  touch("a", 500);
  touch("c", 700);
  const auto values = book.Read();
  EXPECT_EQ(values.count("b"), 0U);
  EXPECT_EQ(values.at("a"), 2);
  EXPECT_EQ(values.at("c"), 1);
}

TEST(StalenessBook, AWorkerThatComesAfterManyIsSeen) {
  StalenessBook book(2, CleanStream());
  for (int i = 0; i < 20'000; ++i) {
    book.AddOutcome("worker-" + std::to_string(i), PushOutcome::kAccepted);
    ASSERT_LE(book.bytes(), StalenessBook::kMostBytes);
  }
  const StalenessBook::View view = book.Read();
  EXPECT_EQ(view.workers.count("worker-19999"), 1U);
  EXPECT_EQ(view.workers.count("worker-0"), 0U);
  EXPECT_GT(view.workers.size(), 1000U);
  EXPECT_EQ(view.all.accepted, 20'000U);
}

}  // namespace
}  // namespace conadv
