// SPDX-License-Identifier: Apache-2.0
// Many threads at once: members that join, work, fail, vanish and come back, until the run is over.
#include <gtest/gtest.h>

#include <atomic>
#include <deque>
#include <thread>

#include "common/base/random.h"
#include "tests/server/coordinate/coordinator_fixture.h"

namespace conadv {
namespace {

constexpr uint64_t kSteps = 3000;

// A worker's end of the session, as another thread reads it.
class Inbox final : public MemberSink {
 public:
  void Send(const MemberMessage& message) override {
    MutexLock lock(&mutex_);
    if (const auto* grant = std::get_if<GrantMessage>(&message)) {
      units_.insert(units_.end(), grant->units.begin(), grant->units.end());
    }
    offer_ = offer_ || std::holds_alternative<OfferMessage>(message);
    over_ = over_ || std::holds_alternative<FinishedMessage>(message);
    changed_.NotifyAll();
  }
  void Close(const absl::Status&) override {
    MutexLock lock(&mutex_);
    over_ = true;
    changed_.NotifyAll();
  }
  // False: there is nothing more to come.
  bool Take(bool* offer, std::deque<Unit>* units) {
    MutexLock lock(&mutex_);
    while (!over_ && !offer_ && units_.empty()) changed_.Wait(&mutex_);
    *offer = std::exchange(offer_, false);
    units->swap(units_);
    return !over_ || !units->empty();
  }

 private:
  Mutex mutex_;
  CondVar changed_;
  std::deque<Unit> units_ ABSL_GUARDED_BY(mutex_);
  bool offer_ ABSL_GUARDED_BY(mutex_) = false;
  bool over_ ABSL_GUARDED_BY(mutex_) = false;
};

class CoordinatorStress : public ::testing::Test {
 protected:
  CoordinatorStress() {
    CoordinatorOptions options;
    options.job.training.global_batch = 16;
    options.job.training.slots = 4;
    options.job.training.steps = kSteps;
    options.job.server.lease = absl::Minutes(1);
    plan_ = SomePlan();
    plan_.steps = kSteps;
    coordinator_ = std::make_unique<Coordinator>(options, &Clock::Real());
    HelloMessage hello;
    hello.role = Role::kShard;
    hello.name = "server-0";
    hello.address = "127.0.0.1:1";
    hello.local = true;
    local_ = *coordinator_->Join(hello, &shard_);
    coordinator_->OnRestored(local_, absl::OkStatus(), std::nullopt);
  }
  // One session after another, each ending by chance.
  void Work(uint64_t seed) {
    Random random(seed, Purpose::kPermutation);
    bool over = false;
    while (!over) {
      Inbox inbox;
      HelloMessage hello;
      hello.name = "worker";
      hello.plan = plan_;
      const auto id = coordinator_->Join(hello, &inbox);
      ASSERT_TRUE(id.ok()) << id.status();
      over = !Session(*id, inbox, random);
      coordinator_->OnGone(*id);
    }
  }
  // False: the run is over.
  bool Session(MemberId id, Inbox& inbox, Random& random) {
    bool offer = false;
    std::deque<Unit> units;
    while (inbox.Take(&offer, &units)) {
      if (offer) coordinator_->OnOffered(id);
      for (; !units.empty(); units.pop_front()) {
        coordinator_->OnHeartbeat(id);
        if (random.Below(40) == 0) return true;  // vanishes with what it holds
        done_ += 1;
        coordinator_->OnDone(id, {units.front()});
        if (random.Below(50) == 0) coordinator_->OnDone(id, {units.front()});
      }
    }
    return false;
  }

  FakeMember shard_;
  MemberId local_;
  Plan plan_;
  std::atomic<uint64_t> done_{0};
  std::unique_ptr<Coordinator> coordinator_;
};

TEST_F(CoordinatorStress, EveryUnitIsDoneWhoeverComesAndGoes) {
  std::vector<std::thread> threads;
  for (uint64_t seed = 1; seed <= 4; ++seed) threads.emplace_back([this, seed] { Work(seed); });
  std::atomic<bool> stopping{false};
  std::thread watcher([&] {
    while (!stopping) {
      coordinator_->Tick();
      coordinator_->Read();
      coordinator_->OnPublished(coordinator_->Read().step.value() == 0 ? Version(0) : Version(1));
      std::this_thread::yield();
    }
  });
  // Workers are sent home once the last version is on the disk, so this ends with them.
  std::thread disk([&] {
    while (!stopping) {
      if (coordinator_->Read().step.value() == kSteps) {
        coordinator_->OnCheckpointed(local_, {Version(kSteps), "", false, {}});
      }
      std::this_thread::yield();
    }
  });
  for (std::thread& thread : threads) thread.join();
  stopping = true;
  watcher.join();
  disk.join();
  EXPECT_EQ(coordinator_->Read().step.value(), kSteps);
  EXPECT_GE(done_, kSteps * 4);
  EXPECT_TRUE(coordinator_->health().ok());
}

}  // namespace
}  // namespace conadv
