// SPDX-License-Identifier: Apache-2.0
// A coordinator whose members only remember what they are told, and whose clock stands still.
#ifndef CONADV_TESTS_SERVER_COORDINATE_COORDINATOR_FIXTURE_H_
#define CONADV_TESTS_SERVER_COORDINATE_COORDINATOR_FIXTURE_H_

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "server/coordinate/coordinator.h"
#include "tests/support/fake_clock.h"

namespace conadv {

// What a member was told.
class FakeMember final : public MemberSink {
 public:
  void Send(const MemberMessage& message) override {
    if (std::holds_alternative<OfferMessage>(message)) ++offers;
    if (std::holds_alternative<FinishedMessage>(message)) ++finished;
    if (const auto* evaluate = std::get_if<EvaluateMessage>(&message))
      evaluations.push_back(*evaluate);
    if (const auto* restore = std::get_if<RestoreMessage>(&message))
      restores.push_back(restore->target.has_value() ? std::optional(restore->target->version)
                                                     : std::nullopt);
    if (const auto* checkpoint = std::get_if<CheckpointMessage>(&message)) {
      checkpoints.push_back(checkpoint->version.value());
    }
    if (const auto* grant = std::get_if<GrantMessage>(&message)) {
      units.insert(units.end(), grant->units.begin(), grant->units.end());
    }
  }
  void Close(const absl::Status& status) override { closed = status; }

  int offers = 0;
  int finished = 0;
  std::vector<Unit> units;
  std::vector<EvaluateMessage> evaluations;
  std::vector<std::optional<Version>> restores;
  std::vector<uint64_t> checkpoints;
  absl::Status closed;
};

inline Plan SomePlan() {
  Plan plan;
  plan.tensors = {{"weight", {4, 4}}, {"bias", {4}, TensorKind::kNoDecay}};
  plan.examples = 64;
  plan.steps = 4;
  plan.data_fingerprint = 42;
  return plan;
}

class CoordinatorTest : public ::testing::Test {
 protected:
  void Make(uint32_t shards = 1) {
    MakeWith(shards, {});
    if (shards == 1) coordinator_->OnRestored(local_id_, absl::OkStatus(), std::nullopt);
  }
  // Shard 0 has these checkpoints, and is asked to restore.
  void MakeWith(uint32_t shards, std::vector<Version> checkpoints) {
    CoordinatorOptions options = Options(shards);
    coordinator_ = std::make_unique<Coordinator>(options, &clock_);
    local_ = FakeMember();
    local_id_ = *JoinShard(0, &local_, std::move(checkpoints));
  }
  // One shard and 16 steps.
  void MakeLong() {
    CoordinatorOptions options = Options(1);
    options.job.training.steps = 16;
    plan_.steps = 16;
    plan_.examples = 256;
    coordinator_ = std::make_unique<Coordinator>(options, &clock_);
    local_id_ = *JoinShard(0, &local_, {});
    coordinator_->OnRestored(local_id_, absl::OkStatus(), std::nullopt);
  }
  static CoordinatorOptions Options(uint32_t shards) {
    CoordinatorOptions options;
    options.job.training.global_batch = 16;
    options.job.training.slots = 2;
    options.job.training.steps = 4;
    options.job.training.tau = 1;
    options.job.server.lease = absl::Seconds(10);
    options.job.evaluation.every = 2;
    options.job.evaluation.attack_steps = 1;
    options.shards = shards;
    options.evaluator_patience = absl::Seconds(60);
    return options;
  }
  absl::StatusOr<MemberId> JoinShard(uint32_t shard, FakeMember* member,
                                     std::vector<Version> checkpoints) {
    HelloMessage hello;
    hello.role = Role::kShard;
    hello.name = "server-" + std::to_string(shard);
    hello.incarnation = Incarnation(next_incarnation_++);
    hello.shard = shard;
    hello.address = "127.0.0.1:" + std::to_string(shard + 1);
    hello.checkpoints.directory = "checkpoints";
    for (const Version version : checkpoints) {
      CheckpointId id;
      id.version = version;
      hello.checkpoints.usable.push_back(id);
    }
    hello.local = shard == 0;
    return coordinator_->Join(hello, member);
  }
  // Shard 1 joins, and there is nothing to restore.
  MemberId JoinFresh(FakeMember* shard) {
    const MemberId id = *JoinShard(1, shard, {});
    coordinator_->OnRestored(local_id_, absl::OkStatus(), std::nullopt);
    coordinator_->OnRestored(id, absl::OkStatus(), std::nullopt);
    return id;
  }
  // Every shard says that it has written a version.
  void Written(uint64_t version, const std::vector<MemberId>& shards) {
    for (const MemberId id : shards)
      coordinator_->OnCheckpointed(id, {Version(version), "", false, {}});
  }
  absl::StatusOr<MemberId> Join(Role role, FakeMember* member, uint32_t shard = 0) {
    HelloMessage hello;
    hello.role = role;
    hello.name = "member";
    hello.incarnation = Incarnation(next_incarnation_++);
    hello.shard = shard;
    hello.address = "127.0.0.1:2";
    if (role == Role::kWorker) hello.plan = plan_;
    return coordinator_->Join(hello, member);
  }
  // One shard; its only worker has done everything.
  MemberId Train(FakeMember* worker) {
    Make();
    const MemberId id = *Join(Role::kWorker, worker);
    coordinator_->OnOffered(id);
    Finish(id, *worker);
    Written(4, {local_id_});
    return id;
  }
  // And it has left.
  void TrainToTheEnd() {
    FakeMember worker;
    const MemberId id = Train(&worker);  // which makes the coordinator
    coordinator_->OnGone(id);
  }
  void Finish(MemberId id, FakeMember& member) {
    while (!member.units.empty()) {
      coordinator_->OnDone(id, std::exchange(member.units, {}));
    }
  }

  FakeClock clock_;
  uint64_t next_incarnation_ = 1;
  Plan plan_ = SomePlan();
  FakeMember local_;  // shard 0
  MemberId local_id_;
  std::unique_ptr<Coordinator> coordinator_;
};

}  // namespace conadv

#endif  // CONADV_TESTS_SERVER_COORDINATE_COORDINATOR_FIXTURE_H_
