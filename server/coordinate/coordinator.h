// SPDX-License-Identifier: Apache-2.0
// The coordinator of a run, on shard 0: owns the machine's lock, its clock and the members' ends of
// their sessions. Thread-safe; sinks are called with the lock held and must only queue.
#ifndef CONADV_SERVER_COORDINATE_COORDINATOR_H_
#define CONADV_SERVER_COORDINATE_COORDINATOR_H_

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/base/clock.h"
#include "common/thread/mutex.h"
#include "server/coordinate/event.h"
#include "server/coordinate/machine.h"
#include "server/coordinate/member.h"
#include "server/coordinate/view.h"

namespace conadv {

class Coordinator {
 public:
  // `clock` outlives it.
  Coordinator(CoordinatorOptions options, const Clock* clock);

  // A new member. Its sink is used until OnGone or Close. Errors: as CoordinatorMachine's.
  absl::StatusOr<MemberId> Join(HelloMessage hello, MemberSink* sink);
  // What event.h says of each event.
  void OnHeartbeat(MemberId id, uint64_t progress = 0) { Take(HeartbeatEvent{id, progress}); }
  void OnDone(MemberId id, std::vector<Unit> units) { Take(DoneEvent{id, std::move(units)}); }
  void OnFailed(MemberId id, const Unit& unit, std::string reason) {
    Take(FailedEvent{id, unit, std::move(reason)});
  }
  void OnOffered(MemberId id) { Take(OfferedEvent{id}); }
  void OnRestored(MemberId id, const absl::Status& status, const std::optional<RunState>& state) {
    Take(RestoredEvent{id, status, state});
  }
  void OnCheckpointed(MemberId id, CheckpointAnswer answer) {
    Take(CheckpointedEvent{id, std::move(answer)});
  }
  void OnGone(MemberId id);
  void OnPublished(Version version) { Take(PublishedEvent{version}); }
  absl::Status OnEvaluated(const EvaluationResult& result) { return Step(EvaluatedEvent{result}); }
  // Stops the run: every session ends with `reason`.
  void Fail(const absl::Status& reason) { Take(FailEvent{reason}); }
  // The run is about to be stopped: asks for a checkpoint now. Call it again until it is true:
  // there is one, or there is nothing to save, or it cannot be had.
  bool Save();
  // A shard is about to be stopped: it is told once what can be saved is.
  void OnStopping(MemberId id) { Take(StoppingEvent{id}); }
  // Asks for a checkpoint of the latest version or a later one. `saved` is called once, maybe at
  // once and with the lock held: it only queues.
  using Saved = std::function<void(const absl::StatusOr<Version>&)>;
  void Checkpoint(Saved saved);
  absl::StatusOr<DrainedWorker> Drain(const std::string& worker);
  // τ from a step on. What it prepares is to be written; OnTauJournalled then, in any case.
  absl::StatusOr<PreparedTau> PrepareTau(uint32_t tau, std::optional<conadv::Step> from);
  void OnTauJournalled(bool written) { Take(TauJournalledEvent{written}); }
  // Drops members that have said nothing for a lease, and gives units of those who take too long to
  // others. Call it once an interval.
  void Tick() { Take(TickEvent{}); }
  // So that a look that comes late is told from a lease that is over.
  static absl::Duration TickInterval(absl::Duration lease) {
    return std::min(lease / 10, absl::Milliseconds(100));
  }

  // The shards' addresses in order. UNAVAILABLE names the shards that have not joined.
  absl::StatusOr<std::vector<std::string>> Servers() const;
  CoordinatorView Read() const;
  Phase phase() const;
  // OK until the run has failed.
  absl::Status health() const;
  // Waits until the run is over and every member is gone (OK), or has failed, or `timeout` has
  // passed (DEADLINE_EXCEEDED).
  absl::Status WaitUntilOver(absl::Duration timeout);

 private:
  using Output = CoordinatorMachine::Output;
  absl::Status Step(Event event);
  // Of an event that has no answer.
  void Take(Event event) { Step(std::move(event)).IgnoreError(); }
  // Its actions are done.
  Output StepLocked(Event event, MemberSink* joining) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Do(const Action& action) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const Clock* const clock_;
  mutable Mutex mutex_;
  CondVar over_;
  CoordinatorMachine machine_ ABSL_GUARDED_BY(mutex_);
  std::map<MemberId, MemberSink*> sinks_ ABSL_GUARDED_BY(mutex_);
  uint64_t next_ticket_ ABSL_GUARDED_BY(mutex_) = 0;
  std::map<uint64_t, Saved> saves_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace conadv

#endif  // CONADV_SERVER_COORDINATE_COORDINATOR_H_
