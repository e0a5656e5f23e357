// SPDX-License-Identifier: Apache-2.0
#include "server/snapshot/store.h"

#include <algorithm>
#include <utility>

namespace conadv {

void SnapshotStore::Publish(Snapshot snapshot) {
  std::vector<Answer> answers;
  std::vector<Listing> evicted;  // freed after the lock is gone
  {
    MutexLock lock(&mutex_);
    snapshots_.push_back({std::move(snapshot), 0});
    while (snapshots_.size() > retain_) {
      evicted.push_back(std::move(snapshots_.front()));
      snapshots_.pop_front();
    }
    answers = TakeAnswered();
  }
  for (Answer& answer : answers) answer.callback(std::move(answer.result));
}

void SnapshotStore::SetLast(Version last) {
  std::vector<Answer> answers;
  {
    MutexLock lock(&mutex_);
    last_ = last;
    answers = TakeAnswered();
  }
  for (Answer& answer : answers) answer.callback(std::move(answer.result));
}

ReadId SnapshotStore::Get(const PullSelector& selector, bool guest, Callback callback,
                          Readers::Evict evict) {
  Waiter waiter{selector, guest, std::move(callback), std::move(evict)};
  std::optional<absl::StatusOr<Snapshot>> result;
  ReadId id;
  {
    MutexLock lock(&mutex_);
    id = next_id_++;
    result = TryGet(id, waiter);
    if (!result.has_value()) {
      waiters_.emplace(id, std::move(waiter));
      return id;
    }
  }
  waiter.callback(*std::move(result));
  return id;
}

bool SnapshotStore::Cancel(ReadId id) {
  Waiter dropped;  // destroyed after the lock is gone
  MutexLock lock(&mutex_);
  const auto found = waiters_.find(id);
  if (found == waiters_.end()) return false;
  dropped = std::move(found->second);
  waiters_.erase(found);
  return true;
}

void SnapshotStore::OnProgress(ReadId id) {
  const absl::Time now = clock_->Now();
  MutexLock lock(&mutex_);
  readers_.OnProgress(id, now);
}

void SnapshotStore::End(ReadId id) {
  std::vector<Answer> answers;
  {
    MutexLock lock(&mutex_);
    if (readers_.End(id)) answers = TakeAnswered();
  }
  for (Answer& answer : answers) answer.callback(std::move(answer.result));
}

void SnapshotStore::MakeRoom() {
  const absl::Time now = clock_->Now();
  MutexLock lock(&mutex_);
  const bool awaited = std::any_of(waiters_.begin(), waiters_.end(),
                                   [this](const auto& entry) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
                                     const auto version =
                                         Resolve(entry.second.selector, RetainedLocked(), last_);
                                     return version.ok() && version->has_value() &&
                                            !readers_.MayBegin(**version, entry.second.guest);
                                   });
  if (awaited) readers_.EvictIdle(now);
}

void SnapshotStore::Close(const absl::Status& status) {
  std::vector<Answer> answers;
  {
    MutexLock lock(&mutex_);
    closed_ = status;
    answers = TakeAnswered();
  }
  for (Answer& answer : answers) answer.callback(std::move(answer.result));
}

absl::StatusOr<Snapshot> SnapshotStore::Latest() const {
  MutexLock lock(&mutex_);
  if (snapshots_.empty()) return absl::NotFoundError("there are no weights yet");
  return snapshots_.back().snapshot;
}

Snapshot SnapshotStore::FindOrOldest(Version version) const {
  MutexLock lock(&mutex_);
  const Version oldest = snapshots_.front().snapshot.version;
  const size_t index = version <= oldest ? 0 : version.Since(oldest);
  return snapshots_[std::min(index, snapshots_.size() - 1)].snapshot;
}

std::vector<Snapshot> SnapshotStore::Newest(size_t most) const {
  MutexLock lock(&mutex_);
  std::vector<Snapshot> newest;
  for (size_t i = snapshots_.size() - std::min(most, snapshots_.size()); i < snapshots_.size();
       ++i) {
    newest.push_back(snapshots_[i].snapshot);
  }
  return newest;
}

std::optional<RetainedRange> SnapshotStore::retained() const {
  MutexLock lock(&mutex_);
  return RetainedLocked();
}

std::optional<Version> SnapshotStore::last() const {
  MutexLock lock(&mutex_);
  return last_;
}

std::vector<SnapshotStore::Listing> SnapshotStore::List() const {
  MutexLock lock(&mutex_);
  std::vector<Listing> listings(snapshots_.begin(), snapshots_.end());
  for (Listing& listing : listings) {
    Snapshot& snapshot = listing.snapshot;
    listing.bytes = snapshot.weights->bytes();
    // Initial weights are their own average.
    if (snapshot.average != nullptr && snapshot.average != snapshot.weights) {
      listing.bytes += snapshot.average->bytes();
    }
    snapshot.weights = nullptr;
    snapshot.average = nullptr;
  }
  return listings;
}

uint64_t SnapshotStore::waiting() const {
  MutexLock lock(&mutex_);
  return waiters_.size();
}

uint64_t SnapshotStore::versions_read() const {
  MutexLock lock(&mutex_);
  return readers_.versions();
}

std::optional<RetainedRange> SnapshotStore::RetainedLocked() const {
  if (snapshots_.empty()) return std::nullopt;
  return RetainedRange{snapshots_.front().snapshot.version, snapshots_.back().snapshot.version};
}

std::optional<absl::StatusOr<Snapshot>> SnapshotStore::TryGet(ReadId id, Waiter& waiter) {
  const absl::StatusOr<std::optional<Version>> version =
      Resolve(waiter.selector, RetainedLocked(), last_);
  if (!version.ok()) return version.status();
  if (version->has_value() && readers_.MayBegin(**version, waiter.guest)) {
    Listing& listing = snapshots_[(*version)->Since(snapshots_.front().snapshot.version)];
    ++listing.pulls;
    readers_.Begin(id, **version, waiter.guest, std::move(waiter.evict), clock_->Now());
    return listing.snapshot;
  }
  if (!closed_.ok()) return closed_;
  return std::nullopt;
}

std::vector<SnapshotStore::Answer> SnapshotStore::TakeAnswered() {
  std::vector<Answer> answers;
  for (auto waiter = waiters_.begin(); waiter != waiters_.end();) {
    std::optional<absl::StatusOr<Snapshot>> result = TryGet(waiter->first, waiter->second);
    if (!result.has_value()) {
      ++waiter;
      continue;
    }
    answers.push_back({std::move(waiter->second.callback), *std::move(result)});
    waiter = waiters_.erase(waiter);
  }
  return answers;
}

}  // namespace conadv
