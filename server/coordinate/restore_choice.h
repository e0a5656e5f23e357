// SPDX-License-Identifier: Apache-2.0
// What a run goes on from, given what each shard's disk has. A pure function.
#ifndef CONADV_SERVER_COORDINATE_RESTORE_CHOICE_H_
#define CONADV_SERVER_COORDINATE_RESTORE_CHOICE_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "server/checkpoint/identity.h"

namespace conadv {

struct RestoreChoice {
  std::optional<CheckpointId> target;  // nothing: the run begins anew
  std::vector<Version> written;        // of the target's run, on every shard, up to the target
  std::string warning;                 // what was not used; empty if nothing was in the way
  absl::Status refusal;                // ABORTED: neither; a person has to decide
};

// The newest checkpoint that is one and the same on every shard. Without one the run begins anew if
// no shard has more than initial weights, or if `begin_anew`; else it is refused, with what each
// shard has, and why what it has is not used. `shards` by number.
RestoreChoice ChooseRestore(const std::vector<CheckpointReport>& shards, bool begin_anew);

}  // namespace conadv

#endif  // CONADV_SERVER_COORDINATE_RESTORE_CHOICE_H_
