// SPDX-License-Identifier: Apache-2.0
// Who reads which version. A version lives on after its eviction while it is being read, so this
// bounds how many versions readers hold, and finds those who hold one without taking anything. Who
// is no member of the run is a guest: guests leave room for members.
// Pure state; not thread-safe.
#ifndef CONADV_SERVER_SNAPSHOT_READERS_H_
#define CONADV_SERVER_SNAPSHOT_READERS_H_

#include <cstddef>
#include <cstdint>
#include <map>

#include "absl/time/time.h"
#include "common/base/idle_watch.h"
#include "common/base/ids.h"

namespace conadv {

using ReadId = uint64_t;

struct ReaderOptions {
  // Versions that may be read at a time, by any number of readers each. In SYNC workers read one or
  // two, and an evaluator one.
  size_t most_versions = 4;
  size_t most_for_guests = 2;  // of those
  // Who takes nothing for so long is evicted, if others wait for its place. A chunk is a MiB: what
  // is slower than 100 KiB/s may be taken for dead.
  absl::Duration patience = absl::Seconds(10);
};

class Readers {
 public:
  using Evict = IdleWatch::Evict;

  explicit Readers(const ReaderOptions& options) : options_(options) {}

  // Whether there is room for one more reader of this version.
  bool MayBegin(Version version, bool guest) const;
  void Begin(ReadId id, Version version, bool guest, Evict evict, absl::Time now);
  // It took something.
  void OnProgress(ReadId id, absl::Time now) { idle_.OnProgress(id, now); }
  // False: it does not read.
  bool End(ReadId id);
  // Evicts those who took nothing for `patience`. They keep their place until they end.
  void EvictIdle(absl::Time now) { idle_.EvictIdle(now, options_.patience); }

  size_t versions() const { return held_.size(); }

 private:
  struct Reader {
    Version version;
    bool guest = false;
  };

  const ReaderOptions options_;
  std::map<ReadId, Reader> readers_;
  IdleWatch idle_;
  // Readers of each version that has any, and the guests among them.
  std::map<Version, size_t> held_;
  std::map<Version, size_t> held_by_guests_;
};

}  // namespace conadv

#endif  // CONADV_SERVER_SNAPSHOT_READERS_H_
