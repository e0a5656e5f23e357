// SPDX-License-Identifier: Apache-2.0
// What a checkpoint has to be: written last, so that a checkpoint without one is no checkpoint.
// JSON, with a crc32c of its own contents. Plain values and pure functions.
#ifndef CONADV_SERVER_CHECKPOINT_MANIFEST_H_
#define CONADV_SERVER_CHECKPOINT_MANIFEST_H_

#include <cstdint>
#include <map>
#include <set>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/base/ids.h"
#include "server/checkpoint/identity.h"

namespace conadv {

struct ManifestFile {
  uint64_t bytes = 0;
  uint32_t crc32c = 0;
};

struct Manifest {
  Version version;
  Lineage run;      // see CheckpointId
  Lineage lineage;  // see CheckpointId
  uint32_t shard = 0;
  uint32_t shards = 0;
  uint64_t layout_hash = 0;
  uint64_t applied_prefix = 0;  // the ledger of applied units, see ShardCheckpoint
  std::set<uint64_t> applied_ahead;
  std::string plan;  // any bytes
  std::string job;   // UTF-8
  std::map<std::string, ManifestFile> files;
};

CheckpointId IdOf(const Manifest& manifest);

std::string EncodeManifest(const Manifest& manifest);

// DATA_LOSS: not JSON, a field that is missing or of another type, or contents that do not match
// their crc32c.
absl::StatusOr<Manifest> DecodeManifest(absl::string_view json);

}  // namespace conadv

#endif  // CONADV_SERVER_CHECKPOINT_MANIFEST_H_
