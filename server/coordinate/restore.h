// SPDX-License-Identifier: Apache-2.0
// What a run goes on from: chosen from what each shard's disk has, and then done by all of them.
// A pure function, and pure state that is not thread-safe.
#ifndef CONADV_SERVER_COORDINATE_RESTORE_H_
#define CONADV_SERVER_COORDINATE_RESTORE_H_

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "server/checkpoint/identity.h"
#include "server/coordinate/member.h"

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

class Restore {
 public:
  explicit Restore(uint32_t shards) : reports_(shards) {}

  // What the shard has, when it joins. REQUIRES: shard < shards, and Begin has not been called.
  void SetReport(uint32_t shard, CheckpointReport report) { reports_[shard] = std::move(report); }
  // Every shard has said what it has. The choice's refusal, if it is one.
  absl::Status Begin(bool begin_anew);
  // The shard is where the choice wants it; `state` is shard 0's. REQUIRES: shard < shards.
  void OnRestored(uint32_t shard, const std::optional<RunState>& state);
  // Whether every shard is.
  bool done() const { return restored_.size() == reports_.size(); }
  // What training goes on from; nothing if it begins anew. REQUIRES: done(). Once.
  std::optional<RunState> TakeState();

  // Of the choice.
  const std::optional<CheckpointId>& target() const { return choice_.target; }
  const std::vector<Version>& written() const { return choice_.written; }
  const std::string& warning() const { return choice_.warning; }

 private:
  std::vector<CheckpointReport> reports_;  // by shard; each is empty after Begin
  RestoreChoice choice_;
  std::set<uint32_t> restored_;
  std::optional<RunState> state_;
};

}  // namespace conadv

#endif  // CONADV_SERVER_COORDINATE_RESTORE_H_
