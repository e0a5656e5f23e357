// SPDX-License-Identifier: Apache-2.0
#include "client/transfer/ready_chunks.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

namespace conadv {
namespace {

using State = ReadyChunks::State;

// All that can be had now, in the order in which it became ready.
std::vector<Range> Ready(ReadyChunks& chunks) {
  std::vector<Range> ready;
  for (;;) {
    const ReadyChunks::Next next = chunks.Get(ready.size(), nullptr);
    if (next.state != State::kReady) return ready;
    ready.push_back(next.chunk);
    EXPECT_EQ(next.last, ready.size() == chunks.count());
  }
}

TEST(ReadyChunks, AChunkIsReadyOnceAllItsElementsAre) {
  ReadyChunks chunks({100, 125}, 10);
  EXPECT_EQ(chunks.count(), 3U);
  chunks.Add({115, 130});
  EXPECT_EQ(Ready(chunks), (std::vector<Range>{{120, 125}}));
  chunks.Add({105, 115});
  EXPECT_EQ(Ready(chunks), (std::vector<Range>{{120, 125}, {110, 120}}));
  chunks.Add({90, 105});
  EXPECT_EQ(Ready(chunks).size(), 2U) << "the last one waits for the end";
  EXPECT_FALSE(chunks.whole());
  chunks.AddRest();
  EXPECT_EQ(Ready(chunks), (std::vector<Range>{{120, 125}, {110, 120}, {100, 110}}));
  EXPECT_TRUE(chunks.whole());
}

TEST(ReadyChunks, TensorsInAnyOrderMakeEveryChunkReadyOnce) {
  std::mt19937 random(1);
  for (int round = 0; round < 100; ++round) {
    const size_t size = 1 + random() % 300;
    ReadyChunks chunks({16, 16 + size}, 1 + random() % 40);
    std::vector<Range> tensors;
    for (size_t begin = 0; begin < 16 + size + 5;) {
      const size_t end = begin + 1 + random() % 50;
      tensors.push_back({begin, end});
      begin = end;
    }
    std::shuffle(tensors.begin(), tensors.end(), random);
    for (const Range& tensor : tensors) chunks.Add(tensor);
    EXPECT_EQ(Ready(chunks).size() + 1, chunks.count());
    chunks.AddRest();
    std::vector<Range> ready = Ready(chunks);
    std::sort(ready.begin(), ready.end(), [](auto& a, auto& b) { return a.begin < b.begin; });
    ASSERT_EQ(ready.size(), chunks.count());
    EXPECT_EQ(ready.front().begin, 16U);
    EXPECT_EQ(ready.back().end, 16 + size);
    for (size_t i = 1; i < ready.size(); ++i) EXPECT_EQ(ready[i].begin, ready[i - 1].end);
  }
}

TEST(ReadyChunks, WhatIsNotNamedIsReadyWithTheRest) {
  ReadyChunks chunks({0, 30}, 10);
  chunks.Add({12, 20});
  chunks.AddRest();
  EXPECT_EQ(Ready(chunks).size(), 3U);
}

TEST(ReadyChunks, AnEmptyRangeIsOneEmptyChunk) {
  ReadyChunks chunks({8, 8}, 10);
  EXPECT_FALSE(chunks.whole());
  chunks.AddRest();
  EXPECT_TRUE(chunks.whole());
  EXPECT_EQ(Ready(chunks), (std::vector<Range>{{8, 8}}));
}

TEST(ReadyChunks, WhoeverWaitsIsWokenOnceWhenItsChunkIsThere) {
  ReadyChunks chunks({0, 30}, 10);
  int woken = 0;
  EXPECT_EQ(chunks.Get(1, [&] { ++woken; }).state, State::kLater);
  chunks.Add({20, 30});
  EXPECT_EQ(woken, 0) << "one is ready, and it waits for the second";
  chunks.Add({10, 20});
  EXPECT_EQ(woken, 1);
  chunks.AddRest();
  EXPECT_EQ(woken, 1);
}

TEST(ReadyChunks, WhatIsGivenUpNeverComesButWhatIsWholeStays) {
  ReadyChunks chunks({0, 20}, 10);
  int woken = 0;
  chunks.Add({0, 10});
  EXPECT_EQ(chunks.Get(1, [&] { ++woken; }).state, State::kLater);
  chunks.Abandon();
  EXPECT_EQ(woken, 1);
  EXPECT_EQ(chunks.Get(0, nullptr).state, State::kNever);
  EXPECT_EQ(chunks.Get(1, nullptr).state, State::kNever);
  ReadyChunks whole({0, 20}, 10);
  whole.AddRest();
  whole.Abandon();
  EXPECT_EQ(Ready(whole).size(), 2U);
}

}  // namespace
}  // namespace conadv
