// SPDX-License-Identifier: Apache-2.0
// Arenas that lie in segments of their own, so that processes of this machine can read them where
// they are. Thread-safe.
#ifndef CONADV_COMMON_SHARED_MEMORY_SHARED_ARENAS_H_
#define CONADV_COMMON_SHARED_MEMORY_SHARED_ARENAS_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>

#include "common/shared_memory/segment.h"
#include "common/tensor/arena.h"
#include "common/thread/mutex.h"

namespace conadv {

class SharedArenas final : public ArenaAllocator {
 public:
  // The one of this process. nullptr, and a log line: this system has no segments.
  static SharedArenas* OfThisProcess();

  // Where the system has no segment, ordinary memory, and a log line for the first.
  float* Allocate(size_t elements) override;
  void Free(float* values, size_t elements) override;
  bool MayReuse(const float* values) const override;

  // As peers are told of it. The id is never another segment's.
  struct Shared {
    uint64_t id = 0;
    std::shared_ptr<const SharedSegment> segment;
  };
  // Of the arena with these values; nothing: it lies in ordinary memory.
  std::optional<Shared> Find(const float* values) const;
  // Whether the segment is still an arena's.
  bool Has(uint64_t id) const;
  // Somebody may go on reading the arena for who knows how long: its memory is never written again,
  // and left to who has it once the arena goes.
  void Retire(const float* values);

 private:
  mutable Mutex mutex_;
  uint64_t last_id_ ABSL_GUARDED_BY(mutex_) = 0;
  bool complained_ ABSL_GUARDED_BY(mutex_) = false;
  std::map<const float*, Shared> arenas_ ABSL_GUARDED_BY(mutex_);
  std::set<uint64_t> alive_ ABSL_GUARDED_BY(mutex_);
  std::set<const float*> retired_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace conadv

#endif  // CONADV_COMMON_SHARED_MEMORY_SHARED_ARENAS_H_
