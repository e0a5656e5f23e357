// SPDX-License-Identifier: Apache-2.0
#include "server/snapshot/store.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

#include "tests/support/fake_clock.h"

namespace conadv {
namespace {

Snapshot Make(uint64_t version, size_t size = 16) {
  auto arena = std::make_shared<Arena>(size);
  for (float& value : arena->span()) value = static_cast<float>(version);
  return {Version(version), std::move(arena), absl::UnixEpoch(), std::nullopt};
}

absl::StatusOr<Snapshot> GetNow(SnapshotStore& store, const PullSelector& selector) {
  absl::StatusOr<Snapshot> result = absl::UnavailableError("waits");
  const ReadId id = store.Get(
      selector, false, [&](absl::StatusOr<Snapshot> snapshot) { result = std::move(snapshot); },
      [] {});
  if (!store.Cancel(id)) store.End(id);
  return result;
}

TEST(SnapshotStore, EveryRetainedVersionCanBePulled) {
  SnapshotStore store(3, &Clock::Real());
  for (uint64_t version = 0; version < 10; ++version) store.Publish(Make(version));
  for (uint64_t version = 7; version < 10; ++version) {
    EXPECT_EQ(GetNow(store, {PullSelector::Kind::kExactly, version})->version.value(), version);
  }
  const absl::Status evicted = GetNow(store, {PullSelector::Kind::kExactly, 6}).status();
  EXPECT_EQ(evicted.code(), absl::StatusCode::kOutOfRange);
  EXPECT_NE(evicted.message().find("7 to 9"), std::string::npos) << evicted;
}

TEST(SnapshotStore, SelectorsMeanWhatTheySay) {
  SnapshotStore store(3, &Clock::Real());
  for (uint64_t version = 0; version < 6; ++version) store.Publish(Make(version));
  EXPECT_EQ(GetNow(store, {PullSelector::Kind::kLatest, 0})->version.value(), 5U);
  EXPECT_EQ(GetNow(store, {PullSelector::Kind::kLag, 0})->version.value(), 5U);
  EXPECT_EQ(GetNow(store, {PullSelector::Kind::kLag, 2})->version.value(), 3U);
  EXPECT_EQ(GetNow(store, {PullSelector::Kind::kLag, 100})->version.value(), 3U);
  EXPECT_EQ(GetNow(store, {PullSelector::Kind::kAtLeast, 2})->version.value(), 5U);
  EXPECT_EQ(GetNow(store, {PullSelector::Kind::kAtLeast, 6}).status().code(),
            absl::StatusCode::kUnavailable);
}

TEST(SnapshotStore, WhoWaitsIsCalledOnceWhenTheVersionComes) {
  SnapshotStore store(2, &Clock::Real());
  std::vector<uint64_t> seen;
  const auto note = [&](absl::StatusOr<Snapshot> snapshot) {
    seen.push_back(snapshot->version.value());
  };
  store.Get({PullSelector::Kind::kExactly, 1}, false, note, [] {});
  store.Get({PullSelector::Kind::kLatest, 0}, false, note, [] {});
  EXPECT_EQ(store.waiting(), 2U);
  store.Publish(Make(0));
  EXPECT_EQ(seen, std::vector<uint64_t>({0}));
  store.Publish(Make(1));
  EXPECT_EQ(seen, std::vector<uint64_t>({0, 1}));
  store.Publish(Make(2));
  EXPECT_EQ(seen.size(), 2U);
  EXPECT_EQ(store.waiting(), 0U);
}

TEST(SnapshotStore, ACancelledWaitIsNeverCalled) {
  SnapshotStore store(2, &Clock::Real());
  const ReadId id = store.Get(
      {PullSelector::Kind::kExactly, 0}, false, [](absl::StatusOr<Snapshot>) { FAIL(); }, [] {});
  EXPECT_TRUE(store.Cancel(id));
  EXPECT_FALSE(store.Cancel(id));
  store.Publish(Make(0));
}

TEST(SnapshotStore, VersionsPastTheRunsLastAreRefusedAtOnce) {
  SnapshotStore store(2, &Clock::Real());
  absl::Status waited;
  store.Get(
      {PullSelector::Kind::kExactly, 9}, false,
      [&](absl::StatusOr<Snapshot> snapshot) { waited = snapshot.status(); }, [] {});
  store.SetLast(Version(5));
  EXPECT_EQ(waited.code(), absl::StatusCode::kOutOfRange);
  EXPECT_EQ(GetNow(store, {PullSelector::Kind::kAtLeast, 6}).status().code(),
            absl::StatusCode::kOutOfRange);
}

TEST(SnapshotStore, ClosingEndsEveryWait) {
  SnapshotStore store(2, &Clock::Real());
  store.Publish(Make(0));
  absl::Status waited;
  store.Get(
      {PullSelector::Kind::kExactly, 1}, false,
      [&](absl::StatusOr<Snapshot> snapshot) { waited = snapshot.status(); }, [] {});
  store.Close(absl::AbortedError("bye"));
  EXPECT_EQ(waited.code(), absl::StatusCode::kAborted);
  EXPECT_EQ(GetNow(store, {PullSelector::Kind::kExactly, 1}).status().code(),
            absl::StatusCode::kAborted);
  EXPECT_TRUE(GetNow(store, {PullSelector::Kind::kLatest, 0}).ok());
}

// Readers of a store that wait for room, and what they got.
class SlowReaders : public ::testing::Test {
 protected:
  // Reads what the selector means, until End.
  ReadId Read(const PullSelector& selector, bool guest = false) {
    const ReadId id = store_.Get(
        selector, guest,
        [this](absl::StatusOr<Snapshot> snapshot) { got_.push_back(snapshot->version.value()); },
        [this] { ++let_go_; });
    return id;
  }
  // Readers of 4 versions, each as it is the latest; the first is evicted already.
  std::vector<ReadId> Fill() {
    std::vector<ReadId> ids;
    for (uint64_t version = 0; version < 4; ++version) {
      store_.Publish(Make(version));
      ids.push_back(Read({PullSelector::Kind::kLatest, 0}));
    }
    store_.Publish(Make(4));
    EXPECT_EQ(got_, std::vector<uint64_t>({0, 1, 2, 3}));
    return ids;
  }

  FakeClock clock_;
  SnapshotStore store_{3, &clock_, {4, 2, absl::Seconds(10)}};
  std::vector<uint64_t> got_;
  int let_go_ = 0;
};

TEST_F(SlowReaders, HoldABoundedNumberOfVersions) {
  const std::vector<ReadId> ids = Fill();
  Read({PullSelector::Kind::kLatest, 0});
  Read({PullSelector::Kind::kExactly, 3});  // which is held anyway
  EXPECT_EQ(got_, std::vector<uint64_t>({0, 1, 2, 3, 3}));
  EXPECT_EQ(store_.versions_read(), 4U);
  EXPECT_EQ(store_.waiting(), 1U);
  // Who waited gets what is the latest when there is room.
  store_.Publish(Make(5));
  store_.End(ids[1]);
  EXPECT_EQ(got_.back(), 5U);
  EXPECT_EQ(store_.waiting(), 0U);
}

TEST_F(SlowReaders, AreLetGoIfTheyTakeNothingWhileOthersWait) {
  const std::vector<ReadId> ids = Fill();
  clock_.now += absl::Seconds(9);
  store_.OnProgress(ids[2]);
  clock_.now += absl::Seconds(2);
  store_.MakeRoom();
  EXPECT_EQ(let_go_, 0) << "nobody waits for their place";
  const ReadId waiting = Read({PullSelector::Kind::kLatest, 0});
  store_.MakeRoom();
  store_.MakeRoom();
  EXPECT_EQ(let_go_, 3) << "each once, and not the one that moves";
  EXPECT_EQ(store_.waiting(), 1U) << "until one of them has ended";
  store_.End(ids[0]);
  EXPECT_EQ(got_.back(), 4U);
  EXPECT_FALSE(store_.Cancel(waiting));
}

TEST_F(SlowReaders, GuestsLeaveRoomForMembers) {
  std::vector<ReadId> ids;
  for (uint64_t version = 0; version < 3; ++version) {
    store_.Publish(Make(version));
    ids.push_back(Read({PullSelector::Kind::kLatest, 0}, /*guest=*/true));
  }
  EXPECT_EQ(got_, std::vector<uint64_t>({0, 1}));
  Read({PullSelector::Kind::kExactly, 1}, /*guest=*/true);  // which guests read anyway
  Read({PullSelector::Kind::kLatest, 0});
  EXPECT_EQ(got_, std::vector<uint64_t>({0, 1, 1, 2}));
  // That a member reads it does not make it the guests'.
  EXPECT_EQ(store_.waiting(), 1U);
  store_.End(ids[0]);
  EXPECT_EQ(got_, std::vector<uint64_t>({0, 1, 1, 2, 2}));
}

TEST_F(SlowReaders, AWaitForRoomCanBeCancelled) {
  const std::vector<ReadId> ids = Fill();
  EXPECT_TRUE(store_.Cancel(Read({PullSelector::Kind::kLatest, 0})));
  for (const ReadId id : ids) store_.End(id);
  EXPECT_EQ(got_.size(), 4U);
  EXPECT_EQ(store_.versions_read(), 0U);
}

TEST(SnapshotStore, AReaderKeepsItsVersionAlive) {
  SnapshotStore store(1, &Clock::Real());
  store.Publish(Make(0));
  const Snapshot held = *store.Latest();
  for (uint64_t version = 1; version < 5; ++version) store.Publish(Make(version));
  EXPECT_EQ(held.weights->data()[3], 0.0F);
}

// A torn publish would show as a value that is not the version's, or as a version that goes back.
TEST(SnapshotStore, ReadersSeeWholeVersionsWhileHundredsArePublished) {
  SnapshotStore store(4, &Clock::Real());
  constexpr uint64_t kLast = 500;
  std::atomic<uint64_t> failures{0};
  std::vector<std::thread> readers;
  for (int reader = 0; reader < 4; ++reader) {
    readers.emplace_back([&, reader] {
      uint64_t previous = 0;
      while (previous < kLast) {
        Mutex mutex;
        CondVar changed;
        std::optional<absl::StatusOr<Snapshot>> result;
        const ReadId id = store.Get(
            reader % 2 == 0 ? PullSelector{PullSelector::Kind::kAtLeast, previous + 1}
                            : PullSelector{PullSelector::Kind::kLag, 2},
            false,
            [&](absl::StatusOr<Snapshot> snapshot) {
              MutexLock lock(&mutex);
              result = std::move(snapshot);
              changed.NotifyAll();
            },
            [] {});
        {
          MutexLock lock(&mutex);
          while (!result.has_value()) changed.Wait(&mutex);
        }
        if (!result->ok()) {
          ++failures;
          return;
        }
        const Snapshot& snapshot = **result;
        for (const float value : snapshot.weights->span()) {
          failures += value != static_cast<float>(snapshot.version.value());
        }
        failures += snapshot.version.value() < previous;
        previous = reader % 2 == 0 ? snapshot.version.value()
                                   : std::max(previous, snapshot.version.value());
        store.End(id);
        if (reader % 2 == 1 && snapshot.version.value() + 2 >= kLast) return;
      }
    });
  }
  for (uint64_t version = 0; version <= kLast; ++version) store.Publish(Make(version, 1024));
  for (std::thread& reader : readers) reader.join();
  EXPECT_EQ(failures, 0U);
}

}  // namespace
}  // namespace conadv
