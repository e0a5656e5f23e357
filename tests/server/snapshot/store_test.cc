// SPDX-License-Identifier: Apache-2.0
#include "server/snapshot/store.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace conadv {
namespace {

Snapshot Make(uint64_t version, size_t size = 16) {
  auto arena = std::make_shared<Arena>(size);
  for (float& value : arena->span()) value = static_cast<float>(version);
  return {Version(version), std::move(arena), absl::UnixEpoch(), std::nullopt};
}

absl::StatusOr<Snapshot> GetNow(SnapshotStore& store, const Selector& selector) {
  absl::StatusOr<Snapshot> result = absl::UnavailableError("waits");
  const SnapshotStore::WaitId id =
      store.Get(selector, [&](absl::StatusOr<Snapshot> snapshot) { result = std::move(snapshot); });
  if (id != 0) store.Cancel(id);
  return result;
}

TEST(SnapshotStore, EveryRetainedVersionCanBePulled) {
  SnapshotStore store(3);
  for (uint64_t version = 0; version < 10; ++version) store.Publish(Make(version));
  for (uint64_t version = 7; version < 10; ++version) {
    EXPECT_EQ(GetNow(store, {Selector::kVersion, version})->version.value(), version);
  }
  const absl::Status evicted = GetNow(store, {Selector::kVersion, 6}).status();
  EXPECT_EQ(evicted.code(), absl::StatusCode::kOutOfRange);
  EXPECT_NE(evicted.message().find("7 to 9"), std::string::npos) << evicted;
}

TEST(SnapshotStore, SelectorsMeanWhatTheySay) {
  SnapshotStore store(3);
  for (uint64_t version = 0; version < 6; ++version) store.Publish(Make(version));
  EXPECT_EQ(GetNow(store, {Selector::kLatest, 0})->version.value(), 5U);
  EXPECT_EQ(GetNow(store, {Selector::kLag, 0})->version.value(), 5U);
  EXPECT_EQ(GetNow(store, {Selector::kLag, 2})->version.value(), 3U);
  EXPECT_EQ(GetNow(store, {Selector::kLag, 100})->version.value(), 3U);
  EXPECT_EQ(GetNow(store, {Selector::kAtLeast, 2})->version.value(), 5U);
  EXPECT_EQ(GetNow(store, {Selector::kAtLeast, 6}).status().code(), absl::StatusCode::kUnavailable);
}

TEST(SnapshotStore, WhoWaitsIsCalledOnceWhenTheVersionComes) {
  SnapshotStore store(2);
  std::vector<uint64_t> seen;
  const auto note = [&](absl::StatusOr<Snapshot> snapshot) {
    seen.push_back(snapshot->version.value());
  };
  EXPECT_NE(store.Get({Selector::kVersion, 1}, note), 0U);
  EXPECT_NE(store.Get({Selector::kLatest, 0}, note), 0U);
  store.Publish(Make(0));
  EXPECT_EQ(seen, std::vector<uint64_t>({0}));
  store.Publish(Make(1));
  EXPECT_EQ(seen, std::vector<uint64_t>({0, 1}));
  store.Publish(Make(2));
  EXPECT_EQ(seen.size(), 2U);
  EXPECT_EQ(store.waiting(), 0U);
}

TEST(SnapshotStore, ACancelledWaitIsNeverCalled) {
  SnapshotStore store(2);
  const SnapshotStore::WaitId id =
      store.Get({Selector::kVersion, 0}, [](absl::StatusOr<Snapshot>) { FAIL(); });
  EXPECT_TRUE(store.Cancel(id));
  EXPECT_FALSE(store.Cancel(id));
  store.Publish(Make(0));
}

TEST(SnapshotStore, VersionsPastTheRunsLastAreRefusedAtOnce) {
  SnapshotStore store(2);
  absl::Status waited;
  store.Get({Selector::kVersion, 9},
            [&](absl::StatusOr<Snapshot> snapshot) { waited = snapshot.status(); });
  store.SetLast(Version(5));
  EXPECT_EQ(waited.code(), absl::StatusCode::kOutOfRange);
  EXPECT_EQ(GetNow(store, {Selector::kAtLeast, 6}).status().code(), absl::StatusCode::kOutOfRange);
}

TEST(SnapshotStore, ClosingEndsEveryWait) {
  SnapshotStore store(2);
  store.Publish(Make(0));
  absl::Status waited;
  store.Get({Selector::kVersion, 1},
            [&](absl::StatusOr<Snapshot> snapshot) { waited = snapshot.status(); });
  store.Close(absl::AbortedError("bye"));
  EXPECT_EQ(waited.code(), absl::StatusCode::kAborted);
  EXPECT_EQ(GetNow(store, {Selector::kVersion, 1}).status().code(), absl::StatusCode::kAborted);
  EXPECT_TRUE(GetNow(store, {Selector::kLatest, 0}).ok());
}

TEST(SnapshotStore, AReaderKeepsItsVersionAlive) {
  SnapshotStore store(1);
  store.Publish(Make(0));
  const Snapshot held = *store.Latest();
  for (uint64_t version = 1; version < 5; ++version) store.Publish(Make(version));
  EXPECT_EQ(held.weights->data()[3], 0.0F);
}

// A torn publish would show as a value that is not the version's, or as a version that goes back.
TEST(SnapshotStore, ReadersSeeWholeVersionsWhileHundredsArePublished) {
  SnapshotStore store(4);
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
        store.Get(reader % 2 == 0 ? Selector{Selector::kAtLeast, previous + 1}
                                  : Selector{Selector::kLag, 2},
                  [&](absl::StatusOr<Snapshot> snapshot) {
                    MutexLock lock(&mutex);
                    result = std::move(snapshot);
                    changed.NotifyAll();
                  });
        MutexLock lock(&mutex);
        while (!result.has_value()) changed.Wait(&mutex);
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
