// SPDX-License-Identifier: Apache-2.0
// A shard of one process whose versions can be mapped, and what serves them. Its weights are one
// tensor of 0.5, each step's gradient is 0.5, and the rate is 1: version v is (1 − v) / 2.
#ifndef CONADV_TESTS_SERVER_TRANSFER_SHARED_MEMORY_SHARED_MEMORY_FIXTURE_H_
#define CONADV_TESTS_SERVER_TRANSFER_SHARED_MEMORY_SHARED_MEMORY_FIXTURE_H_

#include <gtest/gtest.h>

#include <future>
#include <memory>
#include <string>
#include <vector>

#include "common/base/random.h"
#include "server/transfer/push_session.h"
#include "server/transfer/shared_memory/shared_memory_server.h"
#include "tests/server/plain_job.h"

namespace conadv {

class SharedMemoryTest : public ::testing::Test {
 protected:
  static constexpr Lineage kLineage{5};
  static constexpr size_t kElements = 20000;  // more than what is copied at once
  static constexpr uint64_t kSteps = 40;

  SharedMemoryTest()
      : shard_(SomeJob(), 0, 1, &Clock::Real(), pool_.get(), &observer_, {}, {&arenas_, true}),
        watch_(&Clock::Real()) {
    shard_.SetLineage(kLineage);
    plan_.tensors = {{"weight", {kElements}}};
    plan_.examples = 8;
    plan_.steps = kSteps;
    SharedMemoryServer::Options options;
    options.shard = &shard_;
    options.incarnation = incarnation_;
    options.arenas = &arenas_;
    options.clock = &Clock::Real();
    auto server = SharedMemoryServer::Start(options);
    EXPECT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
  }
  ~SharedMemoryTest() override {
    server_->Stop();
    pool_.reset();
  }

  static Job SomeJob() { return PlainJob(/*retain=*/2); }
  static float ValueOf(uint64_t version) { return 0.5F - 0.5F * static_cast<float>(version); }

  std::string InitialHeader() {
    return EncodePushHeader({0, kLineage, "w", std::make_shared<const Plan>(plan_)});
  }
  std::string GradientHeader(uint64_t step) {
    return EncodePushHeader({shard_.run()->layout.hash(), kLineage, "w", ContributionOf(step)});
  }
  static Contribution ContributionOf(uint64_t step) {
    Contribution contribution;
    contribution.unit = {Step(step), Slot(0)};
    contribution.update_version = Version(step);
    contribution.lineage = kLineage;
    return contribution;
  }
  // As over the network, until it is answered.
  absl::StatusOr<PushReply> PushOverNetwork(const std::string& header) {
    PushSession session(&shard_, &watch_, incarnation_, [] {});
    Chunk chunk;
    chunk.has_header = true;
    chunk.header = header;
    chunk.payload_size = kElements * sizeof(float);
    chunk.payload = {Segment(reinterpret_cast<const uint8_t*>(values_.data()), chunk.payload_size)};
    const absl::Status status = session.Add(chunk);
    if (!status.ok()) return status;
    if (session.is_duplicate()) return session.Reply(PushOutcome::kDuplicate);
    std::promise<absl::StatusOr<PushReply>> reply;
    session.Finish([&reply](const absl::StatusOr<PushReply>& answer) { reply.set_value(answer); });
    return reply.get_future().get();
  }
  void Begin() { ASSERT_TRUE(PushOverNetwork(InitialHeader()).ok()); }
  // Until version step + 1 is published.
  void Update(uint64_t step) {
    std::promise<void> published;
    const ReadId read = shard_.snapshots().Get(
        PullSelector::Exactly(Version(step + 1)), false,
        [&published](const absl::StatusOr<Snapshot>&) { published.set_value(); }, [] {});
    const auto reply = PushOverNetwork(GradientHeader(step));
    ASSERT_TRUE(reply.ok()) << reply.status();
    published.get_future().wait();
    shard_.snapshots().End(read);
  }

  class Silent final : public ShardObserver {
   public:
    void OnPublished(const Publication&) override {}
  };

  SharedArenas arenas_;  // first: it outlives every arena
  const Incarnation incarnation_ = RandomIncarnation();
  std::unique_ptr<ThreadPool> pool_ = std::make_unique<ThreadPool>(2);
  Silent observer_;
  Shard shard_;
  PushWatch watch_;
  Plan plan_;
  const std::vector<float> values_ = std::vector<float>(kElements, 0.5F);
  std::unique_ptr<SharedMemoryServer> server_;
};

}  // namespace conadv

#endif  // CONADV_TESTS_SERVER_TRANSFER_SHARED_MEMORY_SHARED_MEMORY_FIXTURE_H_
