// SPDX-License-Identifier: Apache-2.0
#include "common/shared_memory/segment.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstring>

#include "common/shared_memory/shared_arenas.h"

namespace conadv {
namespace {

TEST(Segment, APeerReadsWhatItsOwnerWritesLater) {
  const auto owner = SharedSegment::Create(100'000);
  ASSERT_TRUE(owner.ok()) << owner.status();
  EXPECT_EQ((*owner)->bytes(), SegmentBytes(100'000));
  const auto peer = PeerSegment::Open(FileDescriptor(dup((*owner)->fd())), (*owner)->bytes());
  ASSERT_TRUE(peer.ok()) << peer.status();
  std::memset((*owner)->data(), 7, (*owner)->bytes());
  EXPECT_EQ(static_cast<const char*>((*peer)->data())[99'999], 7);
}

TEST(Segment, NobodyElseCanWriteToItOrChangeItsSize) {
  const auto owner = *SharedSegment::Create(4096);
  EXPECT_EQ(mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, owner->fd(), 0), MAP_FAILED);
  EXPECT_LT(write(owner->fd(), "x", 1), 0);
  EXPECT_NE(ftruncate(owner->fd(), 0), 0);
  EXPECT_NE(ftruncate(owner->fd(), 8192), 0);
  EXPECT_NE(fcntl(owner->fd(), F_ADD_SEALS, F_SEAL_WRITE), 0);
}

TEST(Segment, APeersOutlivesItsOwners) {
  auto owner = *SharedSegment::Create(4096);
  const auto peer = *PeerSegment::Open(FileDescriptor(dup(owner->fd())), 4096);
  std::memset(owner->data(), 7, 4096);
  owner.reset();
  EXPECT_EQ(static_cast<const char*>(peer->data())[4095], 7);
}

TEST(Segment, WhatMayShrinkWhileItIsReadIsRefused) {
  const FileDescriptor file(memfd_create("unsealed", MFD_ALLOW_SEALING));
  ASSERT_EQ(ftruncate(file.get(), 4096), 0);
  EXPECT_TRUE(absl::IsInvalidArgument(PeerSegment::Open(file, 4096).status()));
  ASSERT_EQ(fcntl(file.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW), 0);
  EXPECT_TRUE(absl::IsInvalidArgument(PeerSegment::Open(file, 8192).status())) << "it is shorter";
  EXPECT_TRUE(PeerSegment::Open(file, 4096).ok());
  EXPECT_FALSE(PeerSegment::Open(FileDescriptor(open("/dev/null", O_RDONLY)), 4096).ok());
}

TEST(SharedArenas, EachLiesInASegmentOfItsOwnAndIsForgottenWithIt) {
  SharedArenas arenas;
  uint64_t first;
  {
    const Arena arena(100, &arenas);
    const Arena other(0, &arenas);
    ASSERT_TRUE(arenas.Find(arena.data()).has_value());
    first = arenas.Find(arena.data())->id;
    EXPECT_NE(arenas.Find(other.data())->id, first);
    EXPECT_TRUE(arenas.Has(first));
    EXPECT_FALSE(arenas.Find(arena.data() + 1).has_value());
  }
  EXPECT_FALSE(arenas.Has(first));
  const Arena next(100, &arenas);
  EXPECT_GT(arenas.Find(next.data())->id, first);
}

TEST(SharedArenas, APoolDoesNotUseAgainWhatIsRetired) {
  SharedArenas arenas;
  ArenaPool pool(100, /*keep=*/4, &arenas);
  const auto id = [&arenas](const Arena& arena) { return arenas.Find(arena.data())->id; };
  const uint64_t first = id(*pool.Take());
  EXPECT_EQ(id(*pool.Take()), first);
  {
    const auto arena = pool.Take();
    arenas.Retire(arena->data());
  }
  EXPECT_FALSE(arenas.Has(first));
  EXPECT_EQ(pool.bytes(), 0U);
  EXPECT_NE(id(*pool.Take()), first);
}

}  // namespace
}  // namespace conadv
