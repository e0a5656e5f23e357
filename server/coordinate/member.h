// SPDX-License-Identifier: Apache-2.0
// Members of a run and what they and the coordinator say to each other: the Join stream of
// coordinator.proto without protobuf. Plain values, and the one interface through which the
// coordinator speaks.
#ifndef CONADV_SERVER_COORDINATE_MEMBER_H_
#define CONADV_SERVER_COORDINATE_MEMBER_H_

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/base/ids.h"
#include "common/base/unit_ledger.h"
#include "common/plan/plan.h"
#include "common/protocol/evaluation.h"
#include "common/protocol/tau_schedule.h"
#include "server/checkpoint/identity.h"

namespace conadv {

enum class Role { kWorker, kEvaluator, kShard, kObserver };

struct HelloMessage {
  Role role = Role::kWorker;
  std::string name;
  std::string peer;  // the connection's other end
  Incarnation incarnation;
  uint32_t shard = 0;                // kShard
  std::string address;               // kShard
  uint32_t shards = 0;               // kShard: that there are, as it was told; 0: it was not
  std::vector<std::string> servers;  // others: the shards' addresses, as they were told
  std::optional<Plan> plan;          // kWorker
  uint32_t threads = 1;              // kWorker
  CheckpointReport checkpoints;      // kShard
  bool local = false;                // shard 0, which lives in the coordinator's process
};

struct WelcomeMessage {
  MemberId id;
  absl::Duration lease;
  uint64_t steps = 0;  // 0: not known yet
  Lineage lineage;
  TauChanges tau;
};
// To shards.
struct RestoreMessage {
  std::optional<CheckpointId> target;  // nothing: begin anew
};
struct CheckpointMessage {
  Version version;
  std::vector<Version> common;  // the newest that every shard has
};
struct OfferMessage {};
struct GrantMessage {
  std::vector<Unit> units;
};
struct EvaluateMessage {
  Version version;
  bool robust = false;
};
struct FinishedMessage {};
// To workers: what was set while the run went on, all of it.
struct SettingsMessage {
  TauChanges tau;
};
// To a worker: it is to leave.
struct DrainMessage {};
// To a shard that is stopping: what could be saved is.
struct SavedMessage {};
using MemberMessage =
    std::variant<WelcomeMessage, OfferMessage, GrantMessage, EvaluateMessage, FinishedMessage,
                 RestoreMessage, CheckpointMessage, SettingsMessage, DrainMessage, SavedMessage>;

// What a run goes on from.
struct RunState {
  Version version;
  Plan plan;
  UnitLedger applied;  // what the version is made of
};

// What became of a checkpoint on one shard.
struct CheckpointAnswer {
  Version version;
  std::string error;    // empty: it is written
  bool missed = false;  // the shard had a newer version already
  absl::Duration took;
};

// A member's end. Called with the coordinator's lock held: it only queues.
class MemberSink {
 public:
  virtual ~MemberSink() = default;
  virtual void Send(const MemberMessage& message) = 0;
  // Ends the session; nothing is sent after it.
  virtual void Close(const absl::Status& status) = 0;
};

}  // namespace conadv

#endif  // CONADV_SERVER_COORDINATE_MEMBER_H_
