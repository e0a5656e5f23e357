// SPDX-License-Identifier: Apache-2.0
// 64 workers on one server, in every mode: everything is done, everyone takes part, nobody waits
// for ever, and memory stays within the limit that was printed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "common/base/retry_delay.h"
#include "server/shard/retry_delays.h"
#include "tests/server/rpc/tiny_server.h"
#include "tests/soak/wire_worker.h"
#include "tests/support/gate.h"

namespace conadv {
namespace {

constexpr size_t kWorkers = 64;

class ManyWorkers : public ::testing::Test {
 protected:
  void Start(const TinyRun& run) {
    server_ = StartServer(run);
    ASSERT_NE(server_, nullptr);
    for (size_t i = 0; i < kWorkers; ++i) {
      workers_.push_back(
          std::make_unique<WireWorker>(server_->address(), "worker-" + std::to_string(i), run));
      workers_.back()->done = [this] {
        const Shard::Memory memory = server_->memory();
        if (memory.now_bytes > memory.limit_bytes) ++over_limit_;
      };
    }
  }

  // Until the server says that the run is over.
  void Run() {
    std::vector<std::thread> threads;
    for (const auto& worker : workers_) {
      threads.emplace_back([this, &worker] {
        const absl::Status status = worker->Run();
        EXPECT_TRUE(status.ok()) << status;
        if (!status.ok()) on_failure_();
      });
    }
    const absl::Status status = server_->Run([] { return false; });
    EXPECT_TRUE(status.ok()) << status;
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(over_limit_, 0);
  }

  std::vector<uint64_t> Units() const {
    std::vector<uint64_t> units;
    for (const auto& worker : workers_) units.push_back(worker->report().units);
    return units;
  }

  // Lets go of the workers that wait for one that will not come.
  std::function<void()> on_failure_ = [] {};
  std::atomic<int> over_limit_{0};
  std::unique_ptr<Server> server_;
  std::vector<std::unique_ptr<WireWorker>> workers_;
};

uint64_t Sum(const std::vector<uint64_t>& units) {
  uint64_t sum = 0;
  for (const uint64_t count : units) sum += count;
  return sum;
}

TEST_F(ManyWorkers, InSyncTheRunEndsAndEveryoneHasItsShare) {
  const TinyRun run{v1::Training::SYNC, kWorkers, 12};
  Start(run);
  Run();
  const std::vector<uint64_t> units = Units();
  EXPECT_GE(Sum(units), run.steps * run.slots);
  EXPECT_GE(*std::min_element(units.begin(), units.end()), run.steps / 4);
}

// More pushes begin at once than there is room for: some are sent away, and come back.
class CrowdedWorkers : public ManyWorkers {
 protected:
  static void ExpectRefused(WireWorker* worker, const TinyRun& run) {
    v1::Unit last;
    last.set_step(run.steps - 1);
    absl::Status status;
    do {  // until the headers that are on their way have come
      status = worker->PushHeaderOnly(last);
    } while (absl::IsInvalidArgument(status));
    EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted) << status;
    const std::optional<absl::Duration> delay = RetryDelayOf(status);
    ASSERT_TRUE(delay.has_value());
    EXPECT_GE(*delay, RetryDelays::kEach);
  }
  void ExpectFairness(v1::Training::Consistency consistency) {
    const TinyRun run{consistency, 8, 120};
    Start(run);
    Gate gate;
    std::atomic<size_t> begun{0};
    on_failure_ = [&gate] { gate.Open(); };
    WireWorker other(server_->address(), "other", run);
    for (const auto& worker : workers_) {
      worker->half_way = [&] {
        // Nobody's push goes on before one more has been refused.
        if (++begun == kWorkers) {
          ExpectRefused(&other, run);
          gate.Open();
        }
        gate.Wait();
      };
    }
    Run();
    const std::vector<uint64_t> units = Units();
    EXPECT_GE(Sum(units), run.steps * run.slots);
    EXPECT_GE(*std::min_element(units.begin(), units.end()), 1U);
    for (const auto& worker : workers_) EXPECT_EQ(worker->report().refusals_without_delay, 0U);
  }
};

TEST_F(CrowdedWorkers, InSspEveryUnitIsDoneAndNobodyStarves) { ExpectFairness(v1::Training::SSP); }

TEST_F(CrowdedWorkers, InAsyncEveryUnitIsDoneAndNobodyStarves) {
  ExpectFairness(v1::Training::ASYNC);
}

}  // namespace
}  // namespace conadv
