// SPDX-License-Identifier: Apache-2.0
// The course of a run, from the first member to the last one's leave, as a pure machine: an event
// and the time go in, what is to be done about it comes out. No lock, no clock, no connections; the
// same events give the same actions. Not thread-safe.
#ifndef CONADV_SERVER_COORDINATE_MACHINE_H_
#define CONADV_SERVER_COORDINATE_MACHINE_H_

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/base/ids.h"
#include "common/job/job.h"
#include "server/coordinate/checkpoint_schedule.h"
#include "server/coordinate/evaluation.h"
#include "server/coordinate/event.h"
#include "server/coordinate/membership.h"
#include "server/coordinate/restore.h"
#include "server/coordinate/shard_seats.h"
#include "server/coordinate/training.h"
#include "server/coordinate/view.h"

namespace conadv {

// What was set while a run went on, and of which run it is.
struct SettingsRecord {
  Lineage run;
  TauChanges tau;
};

struct CoordinatorOptions {
  Job job;
  uint32_t shards = 1;
  // Wait this long after the last step, or after one was lost, for an evaluator to join; one that
  // is there and progresses is always waited for.
  absl::Duration evaluator_patience;
  Lineage lineage;
  // What to do where shards have checkpoints, but none that is one and the same on all of them.
  bool begin_anew = false;  // else the run fails and says what is there
  // How long, after the last step, for every shard's last checkpoint, or longer if one took longer.
  absl::Duration checkpoint_patience = absl::Minutes(1);
  // What was set before this process began.
  SettingsRecord settings;
};

// Who leaves because of a DrainEvent.
struct DrainedWorker {
  MemberId id;
  std::string name;
  size_t units = 0;      // that it holds
  size_t remaining = 0;  // workers that go on
};

// What a SetTauEvent prepared.
struct PreparedTau {
  conadv::Step from;
  uint32_t before = 0;
  SettingsRecord record;  // to be written
};

class CoordinatorMachine {
 public:
  struct Output {
    // What the event's sender is told. JoinEvent: INVALID_ARGUMENT: the plan is not the run's, or
    // cannot be run. ABORTED: the run has failed. UNAVAILABLE: a shard was lost, and this
    // coordinator with it. EvaluatedEvent: INVALID_ARGUMENT: a version that this lineage has not
    // published, no examples, or fractions that are none; ABORTED: it is of another lineage.
    // CheckpointEvent, DrainEvent, SetTauEvent: as operator.proto says. OK for the others.
    absl::Status status;
    std::optional<MemberId> joined;        // JoinEvent, if OK
    std::optional<DrainedWorker> drained;  // DrainEvent, if OK
    std::optional<PreparedTau> prepared;   // SetTauEvent, if OK
    Actions actions;
  };

  CoordinatorMachine(CoordinatorOptions options, absl::Time now);

  // Every event but a heartbeat ends in a look at what may happen next. Costs a logarithm of the
  // number of members and as much as what comes out; a tick looks at each member once. REQUIRES:
  // time never goes back.
  Output Step(Event event, absl::Time now);

  Phase phase() const { return phase_; }
  // OK until the run has failed.
  const absl::Status& failure() const { return failure_; }
  // Whether it has failed, or everything is done and every member gone.
  bool over() const;
  // After SaveEvent: whether there is a checkpoint, or nothing to save, or it cannot be had. Until
  // then the event is to be repeated.
  bool saved() const;
  // The shards' addresses in order. UNAVAILABLE names the shards that have not joined.
  absl::StatusOr<std::vector<std::string>> Servers() const;
  CoordinatorView View(absl::Time now) const;

 private:
  absl::Status On(JoinEvent event);
  absl::Status On(const HeartbeatEvent& event);
  absl::Status On(const DoneEvent& event);
  absl::Status On(const FailedEvent& event);
  absl::Status On(const OfferedEvent& event);
  absl::Status On(const RestoredEvent& event);
  absl::Status On(const CheckpointedEvent& event);
  absl::Status On(const GoneEvent& event);
  absl::Status On(const PublishedEvent& event);
  absl::Status On(const EvaluatedEvent& event);
  absl::Status On(const TickEvent& event);
  absl::Status On(const SaveEvent& event);
  absl::Status On(const FailEvent& event);
  // operate.cc: what operators want, and members that are stopped.
  absl::Status On(const StoppingEvent& event);
  absl::Status On(const CheckpointEvent& event);
  absl::Status On(const DrainEvent& event);
  absl::Status On(const SetTauEvent& event);
  absl::Status On(const TauJournalledEvent& event);
  // Whoever waits for a checkpoint is answered, or one is asked for.
  void AdvanceSaves();
  void BeginStop();  // no step is begun that nobody has begun
  bool StopSaved() const;
  void AnswerSaves(const absl::StatusOr<Version>& answer, std::optional<Version> up_to);
  absl::StatusOr<MemberId> FindWorker(const std::string& worker) const;
  void ApplySettings(TauChanges tau);
  void LimitLeases();

  // What may happen next.
  void Advance();
  absl::Status AdmitShard(const HelloMessage& hello);
  void BeginRestore();
  void EndRestore();
  void AskForWeights();
  void BeginTraining(const UnitLedger& done, Version version);
  void AskForCheckpoint();
  // After the last step: true once nobody has to wait for the last version's checkpoint.
  bool LastCheckpointOver();
  // Everybody hears that the run is over; shards last, for they serve until the others are gone.
  void Dismiss();
  void DropSilent();
  // Those whose work hangs though their heartbeat lives.
  void CheckShards();
  void CheckWorkers();
  void CheckEvaluator();
  // The shard that has been at one task for the longest, and for how long.
  std::pair<MemberId, absl::Duration> LongestTask() const;
  // Members that compute nothing though they should end: they may be started anew.
  void CloseStuck(MemberId id, absl::Duration after);
  // The member is gone without having been sent home: a shard takes its weights with it, and this
  // lineage ends.
  void Lose(MemberId id);
  void Remove(MemberId id);
  void Fail(const absl::Status& reason);
  bool trained() const { return training_.begun() && training_.finished(); }

  void Send(MemberId to, const MemberMessage& message);
  void SendToShards(const MemberMessage& message);
  void SendFinished(Role role);
  void Close(MemberId id, const absl::Status& status);
  std::string MessageNow() const;
  std::string WarningNow() const;

  const CoordinatorOptions options_;
  Phase phase_ = Phase::kWaitingForShards;
  absl::Status failure_;
  Membership members_;
  ShardSeats seats_;
  Restore restore_;
  Training training_;
  Evaluation evaluation_;
  CheckpointSchedule checkpoints_;
  std::optional<MemberId> offering_;  // whom the first weights are awaited from
  Version latest_;                    // that shard 0 published
  absl::Time latest_since_;
  // Whoever wants a checkpoint of a version or a later one, in order.
  struct SaveRequest {
    uint64_t ticket = 0;
    Version wanted;
  };
  std::vector<SaveRequest> saves_;
  bool stops_ = false;                    // this lineage does
  std::optional<conadv::Step> stop_end_;  // the first that is not leased because of it
  bool save_failed_ = false;              // since then, and nothing more is tried
  std::set<MemberId> stopping_;           // shards that wait for a checkpoint before they stop
  TauChanges tau_;                        // what was set
  std::optional<TauChanges> set_;         // is being written: its last
  std::vector<uint32_t> hanging_disks_;   // shards whose last checkpoint is not waited for any more
  absl::Time last_tick_;

  // Of the event in hand.
  std::optional<MemberId> joined_;
  std::optional<DrainedWorker> drained_;
  std::optional<PreparedTau> prepared_;
  absl::Time now_;
  Actions actions_;
};

}  // namespace conadv

#endif  // CONADV_SERVER_COORDINATE_MACHINE_H_
