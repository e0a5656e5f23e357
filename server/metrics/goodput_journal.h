// SPDX-License-Identifier: Apache-2.0
// A shard's goodput, beside its checkpoints: what the process had made, for the one that follows
// it. Thread-safe; blocks.
#ifndef CONADV_SERVER_METRICS_GOODPUT_JOURNAL_H_
#define CONADV_SERVER_METRICS_GOODPUT_JOURNAL_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/base/ids.h"
#include "common/os/file.h"
#include "server/metrics/goodput.h"

namespace conadv {

struct GoodputEntry {
  Lineage run;          // whose; see CheckpointId
  std::string process;  // the label under which it is shown
  Goodput::Record record;
};

class GoodputJournal {
 public:
  // goodput-shard-<k>-of-<n>.json in `directory`. `files` outlives it.
  GoodputJournal(const std::string& directory, uint32_t shard, uint32_t shards,
                 const FileSystem* files);

  // Nothing if there is none. DATA_LOSS: it is not one.
  absl::StatusOr<std::optional<GoodputEntry>> Read() const;
  // Durable when it returns.
  absl::Status Write(const GoodputEntry& entry) const;

 private:
  const std::string path_;
  const FileSystem* const files_;
};

}  // namespace conadv

#endif  // CONADV_SERVER_METRICS_GOODPUT_JOURNAL_H_
