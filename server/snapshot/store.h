// SPDX-License-Identifier: Apache-2.0
// The retained versions of one shard's weights. Publishing is a pointer swap; readers hold
// references and never block a writer; whoever asks for a version that is not there yet is called
// when it is. So many versions are read at a time that memory has a bound however slow readers are:
// see Readers. Thread-safe.
#ifndef CONADV_SERVER_SNAPSHOT_STORE_H_
#define CONADV_SERVER_SNAPSHOT_STORE_H_

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/base/clock.h"
#include "common/base/ids.h"
#include "common/tensor/arena.h"
#include "common/thread/mutex.h"
#include "server/snapshot/readers.h"
#include "server/snapshot/resolve.h"

namespace conadv {

struct Snapshot {
  Version version;
  std::shared_ptr<const Arena> weights;  // the shard's whole arena
  absl::Time published;                  // wall clock
  std::optional<Unit> made_by;  // the update's unit; its slot is 0 in SYNC. None for version 0
  // Of the weights up to this version; nullptr if the job keeps none, or it was not restored.
  std::shared_ptr<const Arena> average = nullptr;
};

class SnapshotStore {
 public:
  using Callback = std::function<void(absl::StatusOr<Snapshot>)>;

  // The clock outlives the store. REQUIRES: retain ≥ 1.
  SnapshotStore(uint32_t retain, const Clock* clock, const ReaderOptions& readers = {})
      : retain_(retain), clock_(clock), readers_(readers) {}

  // Evicts the oldest if there are more than `retain`, and calls who waited, on this thread, after
  // the lock is gone. REQUIRES: the first snapshot, or the latest version + 1.
  void Publish(Snapshot snapshot);
  // The run's last version: waits for newer ones end with OUT_OF_RANGE.
  void SetLast(Version last);

  // Calls `callback` once, now or when the version is published and there is room for its reader,
  // who is a guest or a member of the run: see Readers.
  // Who got a snapshot reads it until End. `evict` may be called meanwhile, with the lock held:
  // the reader takes too long, and has to come to its end.
  ReadId Get(const PullSelector& selector, bool guest, Callback callback, Readers::Evict evict);
  // True: the callback will never be called. False: it has been, or is being called.
  bool Cancel(ReadId id);
  // The reader took a part of its snapshot.
  void OnProgress(ReadId id);
  // The reader let go of its snapshot, if it had one; who waits for room may begin.
  void End(ReadId id);
  // Call it now and then: evicts readers who take nothing, if others wait for room.
  void MakeRoom();
  // Ends every wait with `status`, and every later one.
  void Close(const absl::Status& status);

  // What is there now. NOT_FOUND before the initial weights.
  absl::StatusOr<Snapshot> Latest() const;
  // The snapshot of a version, or the oldest there is if that is newer. REQUIRES: something has
  // been published.
  Snapshot FindOrOldest(Version version) const;
  // The newest `most`, by rising version.
  std::vector<Snapshot> Newest(size_t most) const;
  std::optional<RetainedRange> retained() const;
  std::optional<Version> last() const;
  uint32_t retain() const { return retain_; }

  struct Listing {
    Snapshot snapshot;  // without its weights and average: who looks holds no memory
    uint64_t bytes = 0;
    uint64_t pulls = 0;
  };
  std::vector<Listing> List() const;
  // Pulls that wait, and those that are under way.
  uint64_t waiting() const;
  uint64_t versions_read() const;

 private:
  struct Waiter {
    PullSelector selector;
    bool guest = false;
    Callback callback;
    Readers::Evict evict;
  };
  struct Answer {
    Callback callback;
    absl::StatusOr<Snapshot> result;
  };

  // Nothing: it has to wait.
  std::optional<absl::StatusOr<Snapshot>> TryGet(ReadId id, Waiter& waiter)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::optional<RetainedRange> RetainedLocked() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::vector<Answer> TakeAnswered() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const uint32_t retain_;
  const Clock* const clock_;
  mutable Mutex mutex_;
  std::deque<Listing> snapshots_ ABSL_GUARDED_BY(mutex_);  // by version, without gaps
  std::optional<Version> last_ ABSL_GUARDED_BY(mutex_);
  absl::Status closed_ ABSL_GUARDED_BY(mutex_);
  std::map<ReadId, Waiter> waiters_ ABSL_GUARDED_BY(mutex_);  // first come, first served
  ReadId next_id_ ABSL_GUARDED_BY(mutex_) = 1;
  Readers readers_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace conadv

#endif  // CONADV_SERVER_SNAPSHOT_STORE_H_
