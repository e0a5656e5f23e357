// SPDX-License-Identifier: Apache-2.0
// Membership, leases and the run's course, on shard 0. Every event ends in one look at what may
// happen next (Advance). Knows neither gRPC nor weights. Thread-safe; sinks are called with the
// lock held and must only queue.
#ifndef CONADV_SERVER_COORDINATE_COORDINATOR_H_
#define CONADV_SERVER_COORDINATE_COORDINATOR_H_

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/base/clock.h"
#include "common/base/mutex.h"
#include "common/job/job.h"
#include "server/coordinate/checkpoint_schedule.h"
#include "server/coordinate/grant.h"
#include "server/coordinate/lease_table.h"
#include "server/coordinate/member.h"
#include "server/coordinate/pace.h"
#include "server/coordinate/worker_loads.h"

namespace conadv {

struct CoordinatorOptions {
  Job job;
  uint32_t shards = 1;
  // Wait this long after the last step, or after one was lost, for an evaluator to join; one that
  // is there and gets on is always waited for.
  absl::Duration evaluator_patience;
  Lineage lineage;
  // What to do where shards have checkpoints, but none that is one and the same on all of them.
  bool begin_anew = false;  // else the run fails and says what is there
  // How long, after the last step, for every shard's last checkpoint, or longer if one took longer.
  absl::Duration checkpoint_patience = absl::Minutes(1);
};

enum class Phase {
  kWaitingForShards,
  kWaitingForWorkers,
  kInitializing,
  kTraining,
  kEvaluating,
  kFinished,
  kRestoring,
};

class Coordinator {
 public:
  struct Member {
    MemberId id;
    HelloMessage hello;
    absl::Time joined;
    absl::Time heard;
    uint64_t units_done = 0;
    bool told_finished = false;
    MemberSink* sink = nullptr;
    // When it got to work on what it holds. kEvaluator: when it last got on. kShard: when it began
    // what it works on.
    absl::Time turn;
    bool straggles = false;  // kWorker
    uint64_t progress = 0;   // that its heartbeats told. kShard: its oldest task; 0: it has none
  };
  struct View {
    Phase phase = Phase::kWaitingForShards;
    Step step;                          // the oldest unfinished
    uint64_t steps = 0;                 // 0 before the plan
    std::string message;                // what is waited for, or what went wrong
    std::string warning;                // what goes wrong while training goes on
    std::optional<Version> checkpoint;  // the newest that every shard has
    absl::Duration training_time;
    std::vector<std::pair<Member, std::vector<Unit>>> members;  // with their leases
    std::optional<EvaluationResult> evaluation;                 // the last one
  };

  Coordinator(CoordinatorOptions options, const Clock* clock);

  // A new member. Its sink is used until OnGone or Close. INVALID_ARGUMENT: the plan is not the
  // run's, or cannot be run. ABORTED: the run has failed. UNAVAILABLE: a shard was lost, and this
  // coordinator with it.
  absl::StatusOr<MemberId> Join(const HelloMessage& hello, MemberSink* sink);
  // `progress` changes as the member gets on; of a shard that has nothing to do it is 0.
  void OnHeartbeat(MemberId id, uint64_t progress = 0);
  // Of units that it never had, or of a member that is no worker, nothing is believed.
  void OnDone(MemberId id, const std::vector<Unit>& units);
  // The unit goes to another worker; the second time the run stops.
  void OnFailed(MemberId id, const Unit& unit, const std::string& reason);
  void OnOffered(MemberId id);
  // A shard has restored what it was asked to, or not (DATA_LOSS: its checkpoint was damaged, and
  // is set aside). `state` is looked at if it is shard 0's and not a beginning.
  void OnRestored(MemberId id, const absl::Status& status, const std::optional<RunState>& state);
  void OnCheckpointed(MemberId id, const CheckpointAnswer& answer);
  // The run is about to be stopped: asks for a checkpoint now. Call it again until it is true:
  // there is one, or there is nothing to save, or it cannot be had.
  bool Save();
  // The member left or its connection broke; its units go to others.
  void OnGone(MemberId id);
  // Shard 0 published a version: an evaluation may be due.
  void OnPublished(Version version);
  // INVALID_ARGUMENT: a version that this lineage has not published, no examples, or fractions that
  // are none. ABORTED: it is of another lineage.
  absl::Status OnEvaluated(const EvaluationResult& result);
  // Drops members that have said nothing for a lease, and gives units of those who take too long to
  // others. Call it once an interval.
  void Tick();
  // So that a look that comes late is told from a lease that is over.
  static absl::Duration TickInterval(absl::Duration lease) {
    return std::min(lease / 10, absl::Milliseconds(100));
  }
  // Stops the run: every session ends with `reason`.
  void Fail(const absl::Status& reason);

  // The shards' addresses in order. UNAVAILABLE names the shards that have not joined.
  absl::StatusOr<std::vector<std::string>> Servers() const;
  View Read() const;
  // OK until the run has failed.
  absl::Status health() const;
  // Waits until the run is over and every member is gone (OK), or has failed, or `timeout` has
  // passed (DEADLINE_EXCEEDED).
  absl::Status WaitUntilOver(absl::Duration timeout);

 private:
  // One may have been unlucky; from then on it is the model, or the data.
  static constexpr int kMostStuckEvaluators = 2;
  // Those that were lost in the last evaluation: no other is waited for after so many.
  static constexpr int kMostLostEvaluators = 6;

  struct ShardEntry {
    std::string address;  // empty: not joined
    MemberId member;
    CheckpointReport checkpoints;
    bool restored = false;
    std::string checkpoint_error;  // of the last one
    std::string rival;             // address of another process that wants to be this shard
    bool outlives_rival = false;   // heard since then: two processes claim to be one
  };

  absl::Status AcceptPlan(const HelloMessage& hello) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status AcceptShard(const HelloMessage& hello) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Whether what the member was told of the run's servers is so.
  absl::Status CheckServers(const HelloMessage& hello) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Of a process at another address while `former` has the shard.
  absl::Status RefuseRival(const HelloMessage& hello, const Member& former)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void BeginRestore() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void EndRestore() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void BeginTraining(const UnitLedger& done, Version version) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void AskForCheckpoint() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // After the last step: true once nobody has to wait for the last version's checkpoint.
  bool LastCheckpointOver() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void SendToShards(const MemberMessage& message) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // The member is gone without having been told that the run is over: a shard takes its weights
  // with it, and this lineage ends.
  void Lose(MemberId id) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Remove(MemberId id) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void FailLocked(const absl::Status& reason) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // What may happen next.
  void Advance() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void AskForWeights() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void GrantUnits() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void DropSilent(absl::Time now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // This process itself was stopped for a while: it does not count against anyone.
  void Forgive(absl::Duration away, absl::Time now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void LookAtPace(absl::Time now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // The worker straggles: others may have what it holds of later steps.
  void TakeBack(Member& member) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Speculate() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Members that compute nothing though they should end: they may be started anew.
  void EndStuck(const std::vector<MemberId>& stuck, absl::Duration after)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void LookAtEvaluator(absl::Time now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // The shard that has been at one task for the longest, and for how long.
  std::pair<MemberId, absl::Duration> LongestTask(absl::Time now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Those whose work hangs though their heartbeat lives.
  void LookAtShards(absl::Time now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // `awaited`: it holds units of the oldest step.
  absl::Duration WaitOf(const Member& member, bool awaited, absl::Time now) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void WindDown() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void StartEvaluation(Version version, bool robust) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Whether the final evaluation is done, or given up.
  bool FinalEvaluationOver() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void TellFinished(Role role) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  Member* FirstOf(Role role) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool HasMembers(bool shards_too) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::vector<uint32_t> MissingShards() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void SetStraggles(Member& member, bool straggles) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  Phase PhaseNow() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::string MessageNow() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  Version LastVersion() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const CoordinatorOptions options_;
  const Clock* const clock_;
  mutable Mutex mutex_;
  CondVar over_;
  absl::Status failure_ ABSL_GUARDED_BY(mutex_);
  MemberId next_id_ ABSL_GUARDED_BY(mutex_){1};
  std::map<MemberId, Member> members_ ABSL_GUARDED_BY(mutex_);
  std::map<Role, std::set<MemberId>> by_role_ ABSL_GUARDED_BY(mutex_);
  WorkerLoads loads_ ABSL_GUARDED_BY(mutex_);
  std::vector<ShardEntry> shards_ ABSL_GUARDED_BY(mutex_);
  bool restoring_ ABSL_GUARDED_BY(mutex_) = false;        // has begun
  bool restored_ ABSL_GUARDED_BY(mutex_) = false;         // every shard is ready
  std::vector<Version> written_ ABSL_GUARDED_BY(mutex_);  // that every shard had
  std::optional<CheckpointId> restore_target_ ABSL_GUARDED_BY(mutex_);
  std::string restore_warning_ ABSL_GUARDED_BY(mutex_);
  // Shards whose disk is not waited for any more, after the last step.
  std::vector<uint32_t> hanging_disks_ ABSL_GUARDED_BY(mutex_);
  std::optional<RunState> run_state_ ABSL_GUARDED_BY(mutex_);  // while restoring
  CheckpointSchedule checkpoints_ ABSL_GUARDED_BY(mutex_);
  Version latest_ ABSL_GUARDED_BY(mutex_);  // that shard 0 published
  absl::Time latest_since_ ABSL_GUARDED_BY(mutex_);
  std::optional<Plan> plan_ ABSL_GUARDED_BY(mutex_);
  std::optional<MemberId> offering_ ABSL_GUARDED_BY(mutex_);
  bool initialized_ ABSL_GUARDED_BY(mutex_) = false;  // every shard has the first weights
  LeaseOptions lease_options_ ABSL_GUARDED_BY(mutex_);
  std::optional<LeaseTable> leases_ ABSL_GUARDED_BY(mutex_);
  std::map<Unit, MemberId> failed_units_
      ABSL_GUARDED_BY(mutex_);  // failed once, and whose they were
  Pace pace_ ABSL_GUARDED_BY(mutex_);
  Step oldest_ ABSL_GUARDED_BY(mutex_);  // unfinished, and since when it is the oldest
  absl::Time oldest_since_ ABSL_GUARDED_BY(mutex_);
  absl::Time last_tick_ ABSL_GUARDED_BY(mutex_);
  std::optional<absl::Time> training_began_ ABSL_GUARDED_BY(mutex_);
  std::optional<absl::Time> last_step_done_ ABSL_GUARDED_BY(mutex_);
  std::optional<MemberId> evaluating_ ABSL_GUARDED_BY(mutex_);
  absl::Time evaluator_lost_ ABSL_GUARDED_BY(mutex_) = absl::InfinitePast();
  int evaluators_stuck_ ABSL_GUARDED_BY(mutex_) = 0;
  int evaluators_lost_ ABSL_GUARDED_BY(mutex_) = 0;
  bool final_evaluation_done_ ABSL_GUARDED_BY(mutex_) = false;
  std::optional<EvaluationResult> evaluation_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace conadv

#endif  // CONADV_SERVER_COORDINATE_COORDINATOR_H_
