// SPDX-License-Identifier: Apache-2.0
// Whom the coordinator believes, and whom it blames: by its own clock, for what was theirs to do.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/server/coordinate/coordinator_fixture.h"

namespace conadv {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class BlameTest : public CoordinatorTest {
 protected:
  void MakeWithLease(absl::Duration lease, uint32_t shards = 1) {
    CoordinatorOptions options = Options(shards);
    options.job.server.lease = lease;
    options.lineage = Lineage(77);
    coordinator_ = std::make_unique<Coordinator>(options, &clock_);
    local_id_ = *JoinShard(0, &local_, {});
    if (shards == 1) coordinator_->OnRestored(local_id_, absl::OkStatus(), std::nullopt);
  }
};

TEST_F(BlameTest, AShortLeaseEndsWhenItIsOverToo) {
  const absl::Duration lease = absl::Milliseconds(100);
  MakeWithLease(lease);
  FakeMember silent;
  ASSERT_TRUE(Join(Role::kWorker, &silent).ok());
  const absl::Time until = clock_.now + 2 * lease;
  while (clock_.now < until && silent.closed.ok()) {
    clock_.now += Coordinator::TickInterval(lease) * 2;  // the machine is busy
    coordinator_->Tick();
  }
  EXPECT_TRUE(absl::IsDeadlineExceeded(silent.closed)) << silent.closed;
}

TEST_F(BlameTest, TheCalendarMayJump) {
  MakeWithLease(absl::Seconds(10));
  FakeMember worker;
  const MemberId id = *Join(Role::kWorker, &worker);
  coordinator_->OnOffered(id);
  for (const absl::Duration jump : {absl::Hours(1), absl::Hours(-1)}) {
    clock_.wall_ahead += jump;
    clock_.now += absl::Seconds(1);
    coordinator_->Tick();
  }
  EXPECT_TRUE(worker.closed.ok());
  EXPECT_EQ(coordinator_->Read().training_time, absl::Seconds(2));
}

TEST_F(BlameTest, AShardWhoseWorkHangsIsNamedAndNoWorkerIsBlamed) {
  MakeWithLease(absl::Seconds(10), 2);
  FakeMember shard;
  const MemberId shard_id = JoinFresh(&shard);
  FakeMember worker;
  const MemberId id = *Join(Role::kWorker, &worker);
  coordinator_->OnOffered(id);
  int seconds = 0;
  for (; seconds < 200 && coordinator_->health().ok(); ++seconds) {
    clock_.now += absl::Seconds(1);
    coordinator_->OnHeartbeat(id);
    coordinator_->OnHeartbeat(local_id_, 1 + seconds);  // one task after another
    coordinator_->OnHeartbeat(shard_id, 5);
    coordinator_->Tick();
  }
  EXPECT_LT(seconds, 100) << "before server.unit_timeout_seconds";
  EXPECT_TRUE(absl::IsAborted(shard.closed)) << shard.closed;
  EXPECT_THAT(std::string(shard.closed.message()), AllOf(HasSubstr("shard 1"), HasSubstr("stuck")));
  EXPECT_TRUE(absl::IsUnavailable(worker.closed)) << worker.closed;
  EXPECT_THAT(std::string(worker.closed.message()), HasSubstr("shard 1 at 127.0.0.1:2"));
}

TEST_F(BlameTest, AShardThatHasNothingToDoIsNotStuck) {
  MakeWithLease(absl::Seconds(10), 2);
  FakeMember shard;
  const MemberId shard_id = JoinFresh(&shard);
  for (int second = 0; second < 500; ++second) {
    clock_.now += absl::Seconds(1);
    coordinator_->OnHeartbeat(shard_id, 0);
    coordinator_->Tick();
  }
  EXPECT_TRUE(coordinator_->health().ok()) << coordinator_->health();
}

TEST_F(BlameTest, AnEvaluationOfWeightsThatAreOverIsRefused) {
  MakeWithLease(absl::Seconds(10));
  FakeMember worker;
  const MemberId id = *Join(Role::kWorker, &worker);
  coordinator_->OnOffered(id);
  coordinator_->OnPublished(Version(1));
  EvaluationResult result{Version(1),  10, 0.8, 0.1, std::nullopt, 1, false,
                          Lineage(76), {}, {},  {}};
  EXPECT_TRUE(absl::IsAborted(coordinator_->OnEvaluated(result)));
  EXPECT_FALSE(coordinator_->Read().evaluation.has_value());
  result.lineage = Lineage(77);
  EXPECT_TRUE(coordinator_->OnEvaluated(result).ok());
  result.version = Version(2);
  EXPECT_TRUE(absl::IsInvalidArgument(coordinator_->OnEvaluated(result)))
      << "this lineage has not made it";
}

TEST_F(BlameTest, OnlyThoseWhoHadAUnitCanHaveDoneIt) {
  MakeLong();
  FakeMember worker;
  FakeMember idle;
  FakeMember observer;
  const MemberId id = *Join(Role::kWorker, &worker);
  const MemberId idle_id = *Join(Role::kWorker, &idle);
  const MemberId observer_id = *Join(Role::kObserver, &observer);
  coordinator_->OnOffered(id);
  const Unit unit = worker.units.front();
  coordinator_->OnDone(observer_id, {unit});
  coordinator_->OnDone(idle_id, {unit});
  coordinator_->OnDone(MemberId(99), {unit});
  for (const auto& [member, units] : coordinator_->Read().members) {
    EXPECT_EQ(member.units_done, 0U) << member.id;
    EXPECT_EQ(std::count(units.begin(), units.end(), unit), member.id == id ? 1 : 0);
  }
  coordinator_->OnDone(id, {unit, unit});
  for (const auto& [member, units] : coordinator_->Read().members) {
    EXPECT_EQ(member.units_done, member.id == id ? 1U : 0U) << member.id;
  }
}

TEST(Pace, UnitsThatComeTogetherMakeNobodyImpatient) {
  Pace pace;
  for (int round = 0; round < 20; ++round) {
    pace.Add(absl::Seconds(4));
    for (int i = 0; i < 15; ++i) pace.Add(absl::ZeroDuration());
    for (int i = 0; i < 15; ++i) pace.Add(absl::Microseconds(10));
  }
  EXPECT_GT(pace.patience(absl::Seconds(10)), absl::Seconds(15));
}

TEST(Pace, OneThatStraggledMakesNobodyPatient) {
  Pace pace;
  for (int i = 0; i < 100; ++i) pace.Add(absl::Seconds(1));
  pace.Add(absl::Minutes(1));
  EXPECT_LT(pace.patience(absl::Seconds(10)), absl::Seconds(6));
}

}  // namespace
}  // namespace conadv
