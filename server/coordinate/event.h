// SPDX-License-Identifier: Apache-2.0
// What happens to a run, and what the coordinator wants done about it: its machine's only inputs
// and outputs. Plain values.
#ifndef CONADV_SERVER_COORDINATE_EVENT_H_
#define CONADV_SERVER_COORDINATE_EVENT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/base/ids.h"
#include "server/coordinate/member.h"

namespace conadv {

struct JoinEvent {
  HelloMessage hello;
};
struct HeartbeatEvent {
  MemberId id;
  uint64_t progress = 0;  // changes as the member progresses; of a shard without a task it is 0
};
// A worker has pushed these units. Of units that it never had nothing is believed.
struct DoneEvent {
  MemberId id;
  std::vector<Unit> units;
};
struct FailedEvent {
  MemberId id;
  Unit unit;
  std::string reason;
};
// A worker has pushed the initial weights.
struct OfferedEvent {
  MemberId id;
};
// A shard has restored what it was asked to, or not (DATA_LOSS: its checkpoint was damaged, and is
// set aside). `state` counts if it is shard 0's and not a beginning.
struct RestoredEvent {
  MemberId id;
  absl::Status status;
  std::optional<RunState> state;
};
struct CheckpointedEvent {
  MemberId id;
  CheckpointAnswer answer;
};
// The member left or its connection broke.
struct GoneEvent {
  MemberId id;
};
// Shard 0 published a version.
struct PublishedEvent {
  Version version;
};
struct EvaluatedEvent {
  EvaluationResult result;
};
// Time has passed.
struct TickEvent {};
// This process is about to be stopped, and a checkpoint is wanted first.
struct SaveEvent {};
// A shard is: its member is answered SavedMessage.
struct StoppingEvent {
  MemberId id;
};
// A checkpoint of the latest version or a later one is wanted: SavedAction answers, with the
// ticket.
struct CheckpointEvent {
  uint64_t ticket = 0;
};
// A worker, by name or number, is to leave.
struct DrainEvent {
  std::string worker;
};
// Attacks are to be made with weights so old from a step on, or as soon as may be. Nothing of it
// takes effect before TauJournalledEvent, and until then no unit that it would change is leased.
struct SetTauEvent {
  uint32_t tau = 0;
  std::optional<Step> from;
};
// What SetTauEvent prepared is on disk, or could not be written.
struct TauJournalledEvent {
  bool written = false;
};
struct FailEvent {
  absl::Status reason;
};
using Event = std::variant<JoinEvent, HeartbeatEvent, DoneEvent, FailedEvent, OfferedEvent,
                           RestoredEvent, CheckpointedEvent, GoneEvent, PublishedEvent,
                           EvaluatedEvent, TickEvent, SaveEvent, StoppingEvent, CheckpointEvent,
                           DrainEvent, SetTauEvent, TauJournalledEvent, FailEvent>;

struct SendAction {
  SendAction(MemberId to, MemberMessage message) : to(to), message(std::move(message)) {}
  MemberId to;
  MemberMessage message;
};
// The session ends with this status, and the member is none any more.
struct CloseAction {
  MemberId member;
  absl::Status status;
};
// The answer to a CheckpointEvent.
struct SavedAction {
  uint64_t ticket = 0;
  absl::StatusOr<Version> version;
};
using Action = std::variant<SendAction, CloseAction, SavedAction>;
// To be carried out in order.
using Actions = std::vector<Action>;

}  // namespace conadv

#endif  // CONADV_SERVER_COORDINATE_EVENT_H_
