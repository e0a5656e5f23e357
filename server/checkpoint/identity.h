// SPDX-License-Identifier: Apache-2.0
// What tells one checkpoint from another. Shards hold parts of one and the same checkpoint only if
// all of this agrees: a version's number alone does not say it, as two runs of one job, or two
// lineages of one run, have the same numbers. Plain values and pure functions.
#ifndef CONADV_SERVER_CHECKPOINT_IDENTITY_H_
#define CONADV_SERVER_CHECKPOINT_IDENTITY_H_

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "common/base/ids.h"

namespace conadv {

struct CheckpointId {
  Version version;
  Lineage run;          // the lineage that began with version 0; stays when a run goes back
  Lineage lineage;      // that published the version
  uint32_t ledger = 0;  // LedgerDigest of the units that the version is made of
  uint32_t job = 0;     // JobDigest
  uint64_t layout = 0;  // hash of the layout

  friend bool operator==(const CheckpointId& a, const CheckpointId& b) {
    return a.version == b.version && a.run == b.run && a.lineage == b.lineage &&
           a.ledger == b.ledger && a.job == b.job && a.layout == b.layout;
  }
  friend bool operator!=(const CheckpointId& a, const CheckpointId& b) { return !(a == b); }
};

// "version 400 (run 5f0c…, lineage …)".
std::string ToText(const CheckpointId& id);

// crc32c of a UnitLedger's prefix and what is ahead of it.
uint32_t LedgerDigest(uint64_t prefix, const std::set<uint64_t>& ahead);
// crc32c of a job's text and a plan's bytes.
uint32_t JobDigest(absl::string_view job, absl::string_view plan);

// One that is there and is not used, and why: damaged, of another job, of another format.
struct RefusedCheckpoint {
  Version version;
  std::string reason;
};

// What one shard has.
struct CheckpointReport {
  std::string directory;                   // empty: it keeps none
  std::vector<CheckpointId> usable;        // newest first; the manifests and the files' sizes agree
  std::vector<RefusedCheckpoint> refused;  // newest first
};

}  // namespace conadv

#endif  // CONADV_SERVER_CHECKPOINT_IDENTITY_H_
