// SPDX-License-Identifier: Apache-2.0
// A shard of one process whose pool the test steps, and pushes as chunks that the test makes.
#ifndef CONADV_TESTS_SERVER_TRANSFER_TRANSFER_FIXTURE_H_
#define CONADV_TESTS_SERVER_TRANSFER_TRANSFER_FIXTURE_H_

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "server/transfer/push_session.h"
#include "tests/server/plain_job.h"
#include "tests/support/fake_clock.h"

namespace conadv {

class TransferTest : public ::testing::Test {
 protected:
  static constexpr Incarnation kProcess{77};
  static constexpr Lineage kLineage{5};

  // Its weights are one tensor of 48 elements.
  explicit TransferTest(const Job& job = SomeJob())
      : shard_(job, 0, 1, &clock_, &pool_, &observer_), watch_(&clock_) {
    shard_.SetLineage(kLineage);
    plan_.tensors = {{"weight", {48}}};
    plan_.examples = 8;
    plan_.steps = 4;
  }

  static Job SomeJob() { return PlainJob(/*retain=*/2); }

  // One chunk of the values from `offset` on, whose payload lies in the test's own memory.
  Chunk ChunkOf(const std::string& header, uint64_t offset, size_t elements) {
    Chunk chunk;
    chunk.has_header = !header.empty();
    chunk.header = header;
    chunk.offset = offset;
    chunk.payload_size = elements * sizeof(float);
    chunk.payload = {
        Segment(reinterpret_cast<const uint8_t*>(values_.data() + offset), chunk.payload_size)};
    return chunk;
  }
  std::string InitialHeader() {
    return EncodePushHeader({0, kLineage, "w", std::make_shared<const Plan>(plan_)});
  }
  std::string GradientHeader(uint64_t step) {
    Contribution contribution;
    contribution.unit = {Step(step), Slot(0)};
    contribution.update_version = Version(step);
    contribution.lineage = kLineage;
    return EncodePushHeader({shard_.run()->layout.hash(), kLineage, "w", contribution});
  }
  std::unique_ptr<PushSession> NewPush() {
    return std::make_unique<PushSession>(&shard_, &watch_, kProcess, [this] { ++evicted_; });
  }
  absl::StatusOr<PushReply> Finish(PushSession& session) {
    std::optional<absl::StatusOr<PushReply>> reply;
    session.Finish([&reply](const absl::StatusOr<PushReply>& answer) { reply = answer; });
    while (pool_.RunOne()) {
    }
    return *reply;
  }
  void Begin() {
    const auto session = NewPush();
    ASSERT_TRUE(session->Add(ChunkOf(InitialHeader(), 0, 48)).ok());
    ASSERT_TRUE(Finish(*session).ok());
  }
  absl::Status PushStep(uint64_t step) {
    const auto session = NewPush();
    const absl::Status status = session->Add(ChunkOf(GradientHeader(step), 0, 48));
    return status.ok() ? Finish(*session).status() : status;
  }

  class Silent final : public ShardObserver {
   public:
    void OnPublished(const Publication&) override {}
  };

  FakeClock clock_;
  ThreadPool pool_{0};
  Silent observer_;
  Shard shard_;
  PushWatch watch_;
  Plan plan_;
  std::vector<float> values_ = std::vector<float>(64, 0.5F);
  int evicted_ = 0;
};

}  // namespace conadv

#endif  // CONADV_TESTS_SERVER_TRANSFER_TRANSFER_FIXTURE_H_
