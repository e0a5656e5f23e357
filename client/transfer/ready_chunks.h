// SPDX-License-Identifier: Apache-2.0
// The chunks of one push to one shard, in the order in which their values became final: a push may
// leave while the rest of its gradients is still being computed. Thread-safe.
#ifndef CONADV_CLIENT_TRANSFER_READY_CHUNKS_H_
#define CONADV_CLIENT_TRANSFER_READY_CHUNKS_H_

#include <cstddef>
#include <functional>
#include <optional>
#include <vector>

#include "common/tensor/layout.h"
#include "common/thread/mutex.h"

namespace conadv {

class ReadyChunks {
 public:
  enum class State {
    kReady,
    kLater,  // its values are not all final yet
    kNever,  // nor will they be
  };
  struct Next {
    State state = State::kLater;
    Range chunk;        // kReady; elements of the shard's arena
    bool last = false;  // kReady: all others came before it
  };

  // Of `range`, from its begin on; the last one may be shorter, and an empty range is one empty
  // chunk.
  ReadyChunks(Range range, size_t chunk_elements);

  // Elements that are final now; each element once. What is not of the range is left out. The last
  // of the chunks waits for AddRest all the same: until then what has left makes no whole, and can
  // be given up.
  void Add(Range part);
  // All of them are final.
  void AddRest();
  // Nothing more becomes final, and what is ready is not wanted any more. No effect after AddRest.
  void Abandon();

  size_t count() const { return count_; }
  bool whole() const;
  // The chunk that came after `before` others. kLater: `woken` is called once, on any thread,
  // perhaps at once, when the answer would be another; it takes the place of who waited until now.
  Next Get(size_t before, std::function<void()> woken);

 private:
  Range ChunkAt(size_t index) const;
  // Takes what is to be called after the lock is gone.
  std::function<void()> TakeWoken() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const Range range_;
  const size_t chunk_elements_;
  const size_t count_;
  mutable Mutex mutex_;
  std::vector<size_t> missing_ ABSL_GUARDED_BY(mutex_);  // by chunk: elements that are not final
  std::vector<size_t> order_ ABSL_GUARDED_BY(mutex_);    // chunks that are ready
  std::optional<size_t> last_ ABSL_GUARDED_BY(mutex_);   // the one that waits for AddRest
  bool abandoned_ ABSL_GUARDED_BY(mutex_) = false;
  size_t awaited_ ABSL_GUARDED_BY(mutex_) = 0;  // how many have to be ready before `woken_`
  std::function<void()> woken_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace conadv

#endif  // CONADV_CLIENT_TRANSFER_READY_CHUNKS_H_
