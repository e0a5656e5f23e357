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

SnapshotStore::WaitId SnapshotStore::Get(const Selector& selector, Callback callback) {
  std::optional<absl::StatusOr<Snapshot>> result;
  {
    MutexLock lock(&mutex_);
    result = TryGet(selector);
    if (!result.has_value()) {
      waiters_.emplace(next_wait_, Waiter{selector, std::move(callback)});
      return next_wait_++;
    }
  }
  callback(*std::move(result));
  return 0;
}

bool SnapshotStore::Cancel(WaitId id) {
  Callback dropped;  // destroyed after the lock is gone
  MutexLock lock(&mutex_);
  const auto found = waiters_.find(id);
  if (found == waiters_.end()) return false;
  dropped = std::move(found->second.callback);
  waiters_.erase(found);
  return true;
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
  return {snapshots_.begin(), snapshots_.end()};
}

uint64_t SnapshotStore::waiting() const {
  MutexLock lock(&mutex_);
  return waiters_.size();
}

std::optional<RetainedRange> SnapshotStore::RetainedLocked() const {
  if (snapshots_.empty()) return std::nullopt;
  return RetainedRange{snapshots_.front().snapshot.version, snapshots_.back().snapshot.version};
}

std::optional<absl::StatusOr<Snapshot>> SnapshotStore::TryGet(const Selector& selector) {
  const absl::StatusOr<std::optional<Version>> version = Resolve(selector, RetainedLocked(), last_);
  if (!version.ok()) return version.status();
  if (version->has_value()) {
    Listing& listing = snapshots_[(*version)->Since(snapshots_.front().snapshot.version)];
    ++listing.pulls;
    return listing.snapshot;
  }
  if (!closed_.ok()) return closed_;
  return std::nullopt;
}

std::vector<SnapshotStore::Answer> SnapshotStore::TakeAnswered() {
  std::vector<Answer> answers;
  for (auto waiter = waiters_.begin(); waiter != waiters_.end();) {
    std::optional<absl::StatusOr<Snapshot>> result = TryGet(waiter->second.selector);
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
