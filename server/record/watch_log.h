// SPDX-License-Identifier: Apache-2.0
// The newest records of something that grows, and whoever waits for the next one. Thread-safe;
// callbacks run without the lock, on the appending thread.
#ifndef CONADV_SERVER_RECORD_WATCH_LOG_H_
#define CONADV_SERVER_RECORD_WATCH_LOG_H_

#include <algorithm>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "common/thread/mutex.h"

namespace conadv {

template <class Record>
class WatchLog {
 public:
  struct Entry {
    uint64_t index = 0;
    Record record;
  };
  using Callback = std::function<void(absl::StatusOr<Entry>)>;
  using WaitId = uint64_t;

  // Keeps the newest `capacity` records.
  explicit WatchLog(size_t capacity) : capacity_(capacity) {}

  // The first record will have this index. REQUIRES: none yet.
  void BeginAt(uint64_t index) {
    MutexLock lock(&mutex_);
    first_ = index;
  }

  void Append(Record record) {
    std::vector<Callback> ready;
    Entry entry;
    {
      MutexLock lock(&mutex_);
      entry = {first_ + records_.size(), std::move(record)};
      records_.push_back(entry.record);
      if (records_.size() > capacity_) {
        records_.pop_front();
        ++first_;
      }
      // Everyone who waits, waits for this index: no one may wait for one further ahead.
      for (auto& [id, callback] : waiters_) ready.push_back(std::move(callback));
      waiters_.clear();
    }
    for (Callback& callback : ready) callback(entry);
  }

  // Calls back once, now or later, with record `index`, or the oldest kept if that is newer, or the
  // next to come if `index` is further ahead. The id is for Cancel; 0 when it was called already.
  WaitId Get(uint64_t index, Callback callback) {
    Entry entry;
    absl::Status closed;
    {
      MutexLock lock(&mutex_);
      const uint64_t wanted = std::max(index, first_);
      if (wanted < first_ + records_.size()) {
        entry = {wanted, records_[wanted - first_]};
      } else if (closed_.ok()) {
        waiters_.emplace(next_wait_, std::move(callback));
        return next_wait_++;
      } else {
        closed = closed_;
      }
    }
    if (closed.ok()) {
      callback(std::move(entry));
    } else {
      callback(closed);
    }
    return 0;
  }

  // What is there from record `from` on, or from the oldest kept, `most` records at most; the next
  // such look begins at `next`.
  struct Page {
    std::vector<Entry> entries;
    uint64_t next = 0;
  };
  Page Read(uint64_t from, size_t most) const {
    MutexLock lock(&mutex_);
    Page page;
    const uint64_t end = first_ + records_.size();
    page.next = std::min(std::max(from, first_), end);
    while (page.next < end && page.entries.size() < most) {
      page.entries.push_back({page.next, records_[page.next - first_]});
      ++page.next;
    }
    return page;
  }

  // True: the callback will never be called.
  bool Cancel(WaitId id) {
    MutexLock lock(&mutex_);
    return waiters_.erase(id) > 0;
  }

  size_t size() const {
    MutexLock lock(&mutex_);
    return records_.size();
  }

  // No more records: who waits gets `status`. OUT_OF_RANGE is the end of it all, which a stream
  // turns into its own.
  void Close(const absl::Status& status) {
    std::vector<Callback> ready;
    {
      MutexLock lock(&mutex_);
      closed_ = status;
      for (auto& [id, callback] : waiters_) ready.push_back(std::move(callback));
      waiters_.clear();
    }
    for (Callback& callback : ready) callback(status);
  }

 private:
  const size_t capacity_;
  mutable Mutex mutex_;
  std::deque<Record> records_ ABSL_GUARDED_BY(mutex_);
  uint64_t first_ ABSL_GUARDED_BY(mutex_) = 0;  // index of records_.front()
  absl::Status closed_ ABSL_GUARDED_BY(mutex_);
  std::map<WaitId, Callback> waiters_ ABSL_GUARDED_BY(mutex_);
  WaitId next_wait_ ABSL_GUARDED_BY(mutex_) = 1;
};

}  // namespace conadv

#endif  // CONADV_SERVER_RECORD_WATCH_LOG_H_
