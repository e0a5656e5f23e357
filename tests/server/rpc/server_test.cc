// SPDX-License-Identifier: Apache-2.0
// The servers over real gRPC, through generated classes.
#include <gmock/gmock.h>
#include <grpcpp/create_channel.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <thread>

#include "absl/strings/str_cat.h"
#include "common/wire/channel.h"
#include "common/wire/status.h"
#include "conadv/v1/inspector.grpc.pb.h"
#include "server/process/serve.h"
#include "tests/server/rpc/counting_run.h"

namespace conadv {
namespace {

using ::testing::HasSubstr;

v1::PullRequest Exactly(uint64_t version) {
  v1::PullRequest request;
  request.set_version(version);
  return request;
}

// Every element that is a tensor's, of one shard's arena.
void ExpectAll(const Layout& layout, uint32_t shard, const PulledArena& arena, float value) {
  for (const size_t index : layout.tensors_of(shard)) {
    const Placement& placement = layout.placements()[index];
    for (size_t i = 0; i < placement.tensor.size(); ++i) {
      ASSERT_EQ(arena.values[placement.offset + i], value)
          << placement.tensor.name << " of version " << arena.version;
    }
  }
}

TEST(Server, PullReturnsOneVersionInEveryTensorAndShardWhileHundredsArePublished) {
  constexpr uint64_t kSteps = 300;
  CountingRun run(2, kSteps, v1::Training::SYNC);
  run.Start();
  std::vector<std::thread> pullers;
  std::atomic<int> pulled{0};
  for (int puller = 0; puller < 2; ++puller) {
    pullers.emplace_back([&run, &pulled] {
      for (uint64_t seen = 0; seen < kSteps;) {
        v1::PullRequest request;
        request.set_at_least(seen + 1);
        const auto first = PullThrough(run.stub(0), request);
        ASSERT_TRUE(first.ok()) << first.status();
        seen = first->version;
        ExpectAll(run.layout(), 0, *first, -static_cast<float>(seen));
        const auto second = PullThrough(run.stub(1), Exactly(seen));
        if (absl::IsOutOfRange(second.status())) continue;  // evicted meanwhile
        ASSERT_TRUE(second.ok()) << second.status();
        EXPECT_EQ(second->version, seen);
        ExpectAll(run.layout(), 1, *second, -static_cast<float>(seen));
        ++pulled;
      }
    });
  }
  for (uint64_t step = 0; step < kSteps; ++step) {
    for (uint32_t slot = 0; slot < CountingRun::kSlots; ++slot) {
      const absl::Status status = run.PushUnit(step, slot, step);
      ASSERT_TRUE(status.ok()) << status;
    }
    // The next step's pushes need version step + 1 on every shard.
    ASSERT_TRUE(PullThrough(run.stub(1), Exactly(step + 1)).ok());
    ASSERT_TRUE(PullThrough(run.stub(0), Exactly(step + 1)).ok());
  }
  for (std::thread& puller : pullers) puller.join();
  EXPECT_GT(pulled, 20);
}

// Where shards wait for each other too: each gets first what the other gets last.
class UnitOrder : public ::testing::TestWithParam<float> {};
INSTANTIATE_TEST_SUITE_P(GlobalClipNorm, UnitOrder, ::testing::Values(0.0F, 1.0F));

TEST_P(UnitOrder, WithoutSyncAVersionMeansTheSameUnitsOnEveryShard) {
  CountingRun run(2, 15, v1::Training::ASYNC, /*lease_seconds=*/10, GetParam());
  run.Start();
  // Each shard gets the units in another order.
  std::thread first([&run] {
    for (uint64_t unit = 0; unit < 30; ++unit) {
      ASSERT_TRUE(run.Push(0, run.Chunks(0, unit / 2, unit % 2, 0)).ok());
    }
  });
  for (uint64_t unit = 30; unit-- > 0;) {
    ASSERT_TRUE(run.Push(1, run.Chunks(1, unit / 2, unit % 2, 0)).ok());
  }
  first.join();
  std::vector<std::vector<std::pair<uint64_t, uint32_t>>> orders(2);
  for (uint32_t shard = 0; shard < 2; ++shard) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(30));
    const auto stream = run.stub(shard).Watch(&context, v1::WatchRequest());
    v1::WatchResponse response;
    while (orders[shard].size() < 30 && stream->Read(&response)) {
      if (response.version() > 0) orders[shard].emplace_back(response.step(), response.slot());
    }
    context.TryCancel();
  }
  EXPECT_EQ(orders[0].size(), 30U);
  EXPECT_EQ(orders[0], orders[1]);
}

TEST(Server, EveryShardClipsByTheNormOfWhatLiesOnAllOfThem) {
  constexpr float kMost = 2;
  constexpr uint64_t kSteps = 20;
  for (const uint32_t shards : {1, 2, 3}) {
    CountingRun run(shards, kSteps, v1::Training::SYNC, /*lease_seconds=*/10, kMost);
    run.Start();
    double parameters = 0;
    for (const Placement& placement : run.layout().placements()) {
      parameters += static_cast<double>(placement.tensor.size());
    }
    const auto step_size = static_cast<float>(kMost / std::sqrt(parameters));
    float expected = 0;
    for (uint64_t step = 0; step < kSteps; ++step) {
      for (uint32_t slot = 0; slot < CountingRun::kSlots; ++slot) {
        ASSERT_TRUE(run.PushUnit(step, slot, step).ok());
      }
      expected -= step_size;
      for (uint32_t shard = 0; shard < shards; ++shard) {
        const auto arena = PullThrough(run.stub(shard), Exactly(step + 1));
        ASSERT_TRUE(arena.ok()) << arena.status();
        ExpectAll(run.layout(), shard, *arena, expected);
      }
    }
    const auto inspector = v1::Inspector::NewStub(MakeChannel(run.address(0)));
    grpc::ClientContext context;
    const auto metrics = inspector->WatchMetrics(&context, v1::WatchMetricsRequest());
    v1::MetricsRecord record;
    ASSERT_TRUE(metrics->Read(&record));
    EXPECT_NEAR(record.step().gradient_norm(), std::sqrt(parameters), 1e-9);
    context.TryCancel();
  }
}

TEST(Server, NormsThatAreNotOfThisRunAreRefusedInWordsAndChangeNothing) {
  CountingRun run(2, 5, v1::Training::SYNC, /*lease_seconds=*/10, /*global_clip_norm=*/1);
  run.Start();
  v1::DescribeResponse description;
  grpc::ClientContext describe_context;
  ASSERT_TRUE(run.stub(0).Describe(&describe_context, {}, &description).ok());
  v1::CombineNormsRequest good;
  good.set_shard(1);
  good.set_lineage(description.lineage());
  good.set_layout_hash(description.layout_hash());
  good.set_version(1);
  const auto refused = [&run](uint32_t by, const v1::CombineNormsRequest& request) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(30));
    v1::CombineNormsResponse response;
    return FromGrpc(run.stub(by).CombineNorms(&context, request, &response));
  };
  v1::CombineNormsRequest bad = good;
  EXPECT_THAT(std::string(refused(0, bad).message()), HasSubstr("squares: shard 1 has "));
  bad = good;
  bad.clear_lineage();
  EXPECT_THAT(std::string(refused(0, bad).message()), HasSubstr("lineage: must be given"));
  bad.set_lineage(good.lineage() + 1);
  EXPECT_TRUE(absl::IsAborted(refused(0, bad)));
  bad = good;
  bad.set_layout_hash(3);
  EXPECT_THAT(std::string(refused(0, bad).message()), HasSubstr("layout_hash: this run's is "));
  bad = good;
  bad.set_shard(2);
  EXPECT_THAT(std::string(refused(0, bad).message()), HasSubstr("shard: must be 1 to 1, got 2"));
  EXPECT_TRUE(absl::IsFailedPrecondition(refused(1, good))) << "not where they come together";
  for (uint32_t slot = 0; slot < CountingRun::kSlots; ++slot) {
    ASSERT_TRUE(run.PushUnit(0, slot, 0).ok());
  }
  EXPECT_TRUE(PullThrough(run.stub(1), Exactly(1)).ok());
}

TEST(Server, OneThatIsStoppedWhileItWaitsForNormsStops) {
  CountingRun run(2, 5, v1::Training::SYNC, /*lease_seconds=*/10, /*global_clip_norm=*/1);
  run.Start();
  for (uint32_t slot = 0; slot < CountingRun::kSlots; ++slot) {
    ASSERT_TRUE(run.Push(1, run.Chunks(1, 0, slot, 0)).ok());
  }
  ASSERT_TRUE(run.Push(0, run.Chunks(0, 0, 0, 0)).ok());
  run.StopServer(1);
  run.StopServer(0);
}

TEST(Server, ARepeatedPushIsADuplicateAndCountsOnce) {
  CountingRun run(1, 5, v1::Training::SYNC);
  run.Start();
  EXPECT_EQ(run.Push(0, run.Chunks(0, 0, 0, 0))->outcome(), v1::PushResponse::ACCEPTED);
  EXPECT_EQ(run.Push(0, run.Chunks(0, 0, 0, 0))->outcome(), v1::PushResponse::DUPLICATE);
  EXPECT_EQ(run.Push(0, run.Chunks(0, 0, 1, 0))->outcome(), v1::PushResponse::ACCEPTED);
  const auto arena = PullThrough(run.stub(0), Exactly(1));
  ASSERT_TRUE(arena.ok());
  ExpectAll(run.layout(), 0, *arena, -1);
  EXPECT_EQ(run.Push(0, run.Chunks(0, 0, 0, 0))->outcome(), v1::PushResponse::DUPLICATE);
}

struct BadPush {
  std::string what;
  std::function<void(std::vector<v1::PushRequest>*)> spoil;
  absl::StatusCode code;
  std::string message;
};

TEST(Server, ABadPushIsRefusedInWordsAndChangesNothing) {
  CountingRun run(1, 5, v1::Training::SYNC);
  run.Start();
  using Chunks = std::vector<v1::PushRequest>;
  const std::string nan(4, '\xff');
  const BadPush cases[] = {
      {"layout hash", [](Chunks* c) { (*c)[0].mutable_header()->set_layout_hash(1); },
       absl::StatusCode::kInvalidArgument, "layout_hash"},
      {"not a number", [&](Chunks* c) { (*c)[1].mutable_payload()->replace(0, 4, nan); },
       absl::StatusCode::kInvalidArgument, "tensor "},
      {"no header", [](Chunks* c) { (*c)[0].clear_header(); }, absl::StatusCode::kInvalidArgument,
       "header"},
      {"two headers", [](Chunks* c) { *(*c)[1].mutable_header() = (*c)[0].header(); },
       absl::StatusCode::kInvalidArgument, "header"},
      {"a gap", [](Chunks* c) { c->erase(c->begin() + 1); }, absl::StatusCode::kInvalidArgument,
       "elements missing"},
      {"an end too early", [](Chunks* c) { c->pop_back(); }, absl::StatusCode::kInvalidArgument,
       "elements missing"},
      {"a part again", [](Chunks* c) { c->push_back(c->back()); },
       absl::StatusCode::kInvalidArgument, "came before"},
      {"too much", [](Chunks* c) { c->back().mutable_payload()->append(400, '\0'); },
       absl::StatusCode::kInvalidArgument, "expected some of"},
      {"half a float", [](Chunks* c) { c->back().mutable_payload()->append(1, '\0'); },
       absl::StatusCode::kInvalidArgument, "are not elements"},
      {"a far offset", [](Chunks* c) { c->back().set_offset(UINT64_MAX); },
       absl::StatusCode::kInvalidArgument, "beyond the end"},
      {"a future step",
       [](Chunks* c) {
         (*c)[0].mutable_header()->mutable_contribution()->set_step(1);
         (*c)[0].mutable_header()->mutable_contribution()->set_update_version(1);
       },
       absl::StatusCode::kFailedPrecondition, "pull version 1 first"},
      {"no such slot",
       [](Chunks* c) { (*c)[0].mutable_header()->mutable_contribution()->set_slot(9); },
       absl::StatusCode::kInvalidArgument, "contribution.slot"},
      {"no such stream",
       [](Chunks* c) { (*c)[0].mutable_header()->mutable_contribution()->set_stream(1); },
       absl::StatusCode::kInvalidArgument, "contribution.stream"},
      {"an oversized message", [](Chunks* c) { (*c)[0].set_payload(std::string(5 << 20, 'x')); },
       absl::StatusCode::kResourceExhausted, "larger than max"},
  };
  for (const BadPush& bad : cases) {
    Chunks chunks = run.Chunks(0, 0, 0, 0);
    bad.spoil(&chunks);
    const absl::Status status = run.Push(0, chunks).status();
    EXPECT_EQ(status.code(), bad.code) << bad.what << ": " << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr(bad.message)) << bad.what;
  }
  for (uint32_t slot = 0; slot < CountingRun::kSlots; ++slot) {
    ASSERT_TRUE(run.PushUnit(0, slot, 0).ok());
  }
  const auto arena = PullThrough(run.stub(0), Exactly(1));
  ASSERT_TRUE(arena.ok());
  ExpectAll(run.layout(), 0, *arena, -1);
}

TEST(Server, OneThatIsStoppedBeforeTheEndDoesNotSayThatTheRunIsOver) {
  CountingRun run(1, 10, v1::Training::SYNC);
  run.Start();
  grpc::ClientContext context;
  const auto stream = run.stub(0).Watch(&context, v1::WatchRequest());
  v1::WatchResponse response;
  ASSERT_TRUE(stream->Read(&response)) << "version 0";
  run.StopServer(0);
  EXPECT_FALSE(stream->Read(&response));
  EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
}

TEST(Server, ASecondProcessOfAShardEndsWithBothAddressesAndTheRunLosesNothing) {
  CountingRun run(2, 5, v1::Training::SYNC, /*lease_seconds=*/2);
  run.Start();
  ASSERT_TRUE(run.PushUnit(0, 0, 0).ok());
  ServeOptions rival;
  rival.launch.shard = 1;
  rival.launch.shards = 2;
  rival.launch.listen = "127.0.0.1:0";
  rival.launch.coordinator = run.address(0);
  rival.job = [&run] { return FetchJob(run.address(0), absl::Seconds(20), [] { return false; }); };
  rival.patience = absl::Seconds(20);
  std::string address;
  const absl::Status status = Serve(
      rival, [&address](const std::string& at) { address = at; }, [] { return false; });
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr(address));
  EXPECT_THAT(std::string(status.message()), HasSubstr(run.address(1)));
  ASSERT_TRUE(run.PushUnit(0, 1, 0).ok());
  EXPECT_TRUE(PullThrough(run.stub(1), Exactly(1)).ok());
}

TEST(Server, PullsSayWhyTheyFail) {
  CountingRun run(1, 5, v1::Training::SYNC);
  EXPECT_EQ(run.Push(0, run.Chunks(0, 0, 0, 0)).status().code(),
            absl::StatusCode::kFailedPrecondition);
  run.Start();
  EXPECT_EQ(PullThrough(run.stub(0), v1::PullRequest()).status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(PullThrough(run.stub(0), Exactly(6)).status().code(), absl::StatusCode::kOutOfRange);
  EXPECT_EQ(PullThrough(run.stub(0), Exactly(1), absl::Milliseconds(200)).status().code(),
            absl::StatusCode::kDeadlineExceeded);
  v1::PullRequest other = Exactly(0);
  other.set_layout_hash(77);
  EXPECT_EQ(PullThrough(run.stub(0), other).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST(Server, SnapshotsAndStalenessAreSeenOverRpc) {
  CountingRun run(1, 20, v1::Training::SYNC);
  run.Start();
  for (uint64_t step = 0; step < 10; ++step) {
    for (uint32_t slot = 0; slot < CountingRun::kSlots; ++slot) {
      ASSERT_TRUE(run.PushUnit(step, slot, step).ok());
    }
    ASSERT_TRUE(PullThrough(run.stub(0), Exactly(step + 1)).ok());
  }
  const auto inspector = v1::Inspector::NewStub(MakeChannel(run.address(0)));
  grpc::ClientContext snapshots_context;
  v1::SnapshotsResponse snapshots;
  ASSERT_TRUE(inspector->Snapshots(&snapshots_context, {}, &snapshots).ok());
  ASSERT_EQ(snapshots.snapshots_size(), 8);
  EXPECT_EQ(snapshots.snapshots(0).version(), 3U);
  grpc::ClientContext watch_context;
  v1::WatchStalenessRequest request;
  request.set_interval_seconds(0.05);
  const auto stream = inspector->WatchStaleness(&watch_context, request);
  v1::StalenessResponse view;
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(stream->Read(&view));
  watch_context.TryCancel();
  EXPECT_EQ(view.update_staleness().count(), 20U);
  EXPECT_EQ(view.update_staleness().max(), 0U);
  ASSERT_GT(view.versions_size(), 0);
  EXPECT_EQ(view.versions(view.versions_size() - 1).contributors(0).slots(), 2U);
}

}  // namespace
}  // namespace conadv
