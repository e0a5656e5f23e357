// SPDX-License-Identifier: Apache-2.0
#include "common/tensor/arena.h"

#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

#include "gtest/gtest.h"

namespace conadv {
namespace {

TEST(ArenaTest, IsAlignedAndWritableToItsEnd) {
  for (const size_t size : {size_t{0}, size_t{1}, size_t{16}, size_t{1001}}) {
    Arena arena(size);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(arena.data()) % 64, 0);
    EXPECT_EQ(arena.span().size(), size);
    EXPECT_EQ(arena.bytes(), 4 * size);
    for (float& value : arena.span()) value = 1;
    arena.Zero();
    for (const float value : arena.span()) EXPECT_EQ(value, 0);
  }
}

TEST(ArenaPoolTest, ReusesWhatCameBack) {
  ArenaPool pool(64, 1);
  std::shared_ptr<Arena> arena = pool.Take();
  const float* data = arena->data();
  arena.reset();
  EXPECT_EQ(pool.Take()->data(), data);
}

TEST(ArenaPoolTest, CountsWhatExistsAndKeepsNoMoreThanItWasTold) {
  ArenaPool pool(64, 1);
  std::vector<std::shared_ptr<Arena>> taken = {pool.Take(), pool.Take(), pool.Take()};
  EXPECT_EQ(pool.in_use(), 3);
  EXPECT_EQ(pool.bytes(), 3 * 64 * 4);
  taken.clear();
  EXPECT_EQ(pool.in_use(), 0);
  EXPECT_EQ(pool.bytes(), 64 * 4);
}

TEST(ArenaPoolTest, ArenaStaysInUseUntilTheLastReferenceGoes) {
  ArenaPool pool(64, 1);
  std::shared_ptr<const Arena> reader;
  {
    const std::shared_ptr<Arena> writer = pool.Take();
    reader = writer;
  }
  EXPECT_EQ(pool.in_use(), 1);
  EXPECT_NE(pool.Take()->data(), reader->data());
  reader.reset();
  EXPECT_EQ(pool.in_use(), 0);
}

TEST(ArenaPoolTest, ArenasMayOutliveThePool) {
  std::shared_ptr<Arena> arena;
  {
    ArenaPool pool(64, 1);
    arena = pool.Take();
  }
  arena->Zero();
  EXPECT_EQ(arena->span()[63], 0);
}

TEST(ArenaPoolTest, NoArenaIsGivenToTwoThreads) {
  ArenaPool pool(16, 2);
  std::vector<std::thread> threads;
  for (int t = 1; t <= 4; ++t) {
    threads.emplace_back([&pool, t] {
      for (int i = 0; i < 2000; ++i) {
        const std::shared_ptr<Arena> arena = pool.Take();
        for (float& value : arena->span()) value = static_cast<float>(t);
        for (const float value : arena->span()) ASSERT_EQ(value, t);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(pool.in_use(), 0);
  EXPECT_LE(pool.bytes(), 2 * 16 * 4);
}

// Counts what it gives out.
class CountingAllocator final : public ArenaAllocator {
 public:
  float* Allocate(size_t elements) override {
    ++given;
    return Heap().Allocate(elements);
  }
  void Free(float* values, size_t elements) override {
    ++taken;
    Heap().Free(values, elements);
  }
  int given = 0;
  int taken = 0;
};

TEST(ArenaPoolTest, MemoryComesFromItsAllocatorAndGoesBackThere) {
  CountingAllocator allocator;
  {
    ArenaPool pool(64, 1, &allocator);
    {
      const auto first = pool.Take();
      const auto second = pool.Take();
      EXPECT_EQ(allocator.given, 2);
    }
    EXPECT_EQ(allocator.taken, 1) << "one is kept";
    pool.Take();
    EXPECT_EQ(allocator.given, 2) << "and used again";
  }
  EXPECT_EQ(allocator.taken, 2);
}

TEST(ArenaTest, OneThatLiesInOthersMemoryKeepsItsOwner) {
  const auto owner = std::make_shared<std::vector<float>>(64, 3.0F);
  std::shared_ptr<const Arena> arena = ArenaOf({owner->data(), 64}, owner);
  EXPECT_EQ(arena->data(), owner->data());
  EXPECT_EQ(arena->size(), 64U);
  EXPECT_EQ(owner.use_count(), 2);
  arena.reset();
  EXPECT_EQ(owner.use_count(), 1);
}

}  // namespace
}  // namespace conadv
