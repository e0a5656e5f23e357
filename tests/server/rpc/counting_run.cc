// SPDX-License-Identifier: Apache-2.0
#include "tests/server/rpc/counting_run.h"

#include <gtest/gtest.h>

#include <cstring>

#include "absl/time/clock.h"
#include "common/plan/plan_proto.h"
#include "common/tensor/crc32c.h"
#include "common/wire/channel.h"
#include "common/wire/status.h"

namespace conadv {
namespace {

constexpr size_t kChunkElements = 1000;  // small, so that there are many

v1::Job SomeJob(uint64_t steps, v1::Training::Consistency consistency, double lease_seconds,
                float global_clip_norm) {
  v1::Job job;
  job.set_name("counting");
  job.mutable_model()->set_builtin("mlp");
  job.mutable_dataset()->set_path("unused");
  v1::Training* training = job.mutable_training();
  training->set_algorithm(v1::Training::VANILLA);
  training->set_consistency(consistency);
  training->set_global_batch(2 * CountingRun::kSlots);
  training->set_slots(CountingRun::kSlots);
  training->set_steps(steps);
  job.mutable_optimizer()->mutable_sgd()->set_momentum(0);
  job.mutable_optimizer()->set_global_clip_norm(global_clip_norm);
  job.mutable_schedule()->set_peak(1);
  job.mutable_server()->set_retain(8);
  job.mutable_server()->set_lease_seconds(lease_seconds);
  job.mutable_evaluation()->set_attack_steps(0);
  return job;
}

Plan SomePlan(uint64_t steps) {
  Plan plan;
  plan.tensors = {{"first", {50, 70}}, {"second", {60, 50}}, {"bias", {7}, TensorKind::kNoDecay}};
  plan.examples = 64;
  plan.steps = steps;
  return plan;
}

}  // namespace

absl::StatusOr<PulledArena> PullThrough(v1::ParameterServer::Stub& stub,
                                        const v1::PullRequest& request, absl::Duration timeout) {
  grpc::ClientContext context;
  context.set_deadline(absl::ToChronoTime(absl::Now() + timeout));
  const auto stream = stub.Pull(&context, request);
  PulledArena arena;
  v1::PullResponse chunk;
  bool first = true;
  size_t next = 0;
  while (stream->Read(&chunk)) {
    EXPECT_EQ(chunk.has_header(), first);
    if (first) {
      arena.version = chunk.header().version();
      arena.values.resize(chunk.header().size());
      first = false;
    }
    EXPECT_EQ(chunk.offset(), next);
    if (chunk.offset() * sizeof(float) + chunk.payload().size() >
        arena.values.size() * sizeof(float)) {
      return absl::InternalError("a chunk past the arena's end");
    }
    std::memcpy(arena.values.data() + next, chunk.payload().data(), chunk.payload().size());
    next += chunk.payload().size() / sizeof(float);
  }
  const grpc::Status status = stream->Finish();
  if (!status.ok()) return FromGrpc(status);
  EXPECT_EQ(next, arena.values.size());
  return arena;
}

CountingRun::CountingRun(uint32_t shards, uint64_t steps, v1::Training::Consistency consistency,
                         double lease_seconds, float global_clip_norm) {
  for (uint32_t shard = 0; shard < shards; ++shard) {
    LaunchOptions options;
    options.job = SomeJob(steps, consistency, lease_seconds, global_clip_norm);
    options.shard = shard;
    options.shards = shards;
    options.listen = "127.0.0.1:0";
    if (shard > 0) options.coordinator = servers_[0]->address();
    auto server = Server::Start(std::move(options));
    EXPECT_TRUE(server.ok()) << server.status();
    servers_.push_back(*std::move(server));
    stubs_.push_back(v1::ParameterServer::NewStub(MakeChannel(servers_.back()->address())));
  }
  const Plan plan = SomePlan(steps);
  plan_ = ToProto(plan);
  layout_ = std::make_unique<Layout>(*Layout::Create(plan.tensors, shards));
  plan_.set_initial_weights_crc32c(
      WeightsCrc32c(*layout_, std::vector<float>(layout_->total_size(), 0)));
}

CountingRun::~CountingRun() {
  join_context_.TryCancel();
  if (session_ != nullptr) session_->Finish();
}

void CountingRun::Start() {
  coordinator_ = v1::Coordinator::NewStub(MakeChannel(servers_[0]->address()));
  session_ = coordinator_->Join(&join_context_);
  v1::JoinRequest hello;
  hello.mutable_hello()->set_role(v1::WORKER);
  hello.mutable_hello()->set_name("counter");
  hello.mutable_hello()->set_threads(1);
  *hello.mutable_hello()->mutable_plan() = plan_;
  session_->Write(hello);
  v1::JoinResponse response;
  while (session_->Read(&response) && !response.offer()) {
  }
  ASSERT_TRUE(response.offer());
  for (uint32_t shard = 0; shard < servers_.size(); ++shard) {
    v1::PushRequest request;
    request.mutable_header()->set_worker("counter");
    *request.mutable_header()->mutable_initial_weights()->mutable_plan() = plan_;
    request.set_payload(std::string(layout_->arena_size(shard) * sizeof(float), '\0'));
    const auto answer = Push(shard, {request});
    ASSERT_TRUE(answer.ok()) << answer.status();
  }
  v1::JoinRequest offered;
  offered.set_offered(true);
  session_->Write(offered);
}

std::vector<v1::PushRequest> CountingRun::Chunks(uint32_t shard, uint64_t step, uint32_t slot,
                                                 uint64_t version) const {
  const std::vector<float> ones(layout_->arena_size(shard), 1.0F);
  std::vector<v1::PushRequest> chunks;
  for (size_t begin = 0; begin < ones.size(); begin += kChunkElements) {
    const size_t size = std::min(kChunkElements, ones.size() - begin);
    v1::PushRequest& chunk = chunks.emplace_back();
    chunk.set_offset(begin);
    chunk.set_payload(ones.data() + begin, size * sizeof(float));
  }
  v1::PushHeader* header = chunks[0].mutable_header();
  header->set_layout_hash(layout_->hash());
  header->set_worker("counter");
  header->mutable_contribution()->set_step(step);
  header->mutable_contribution()->set_slot(slot);
  header->mutable_contribution()->set_update_version(version);
  return chunks;
}

absl::StatusOr<v1::PushResponse> CountingRun::Push(uint32_t shard,
                                                   std::vector<v1::PushRequest> chunks) {
  grpc::ClientContext context;
  context.set_deadline(absl::ToChronoTime(absl::Now() + absl::Seconds(30)));
  v1::PushResponse response;
  const auto stream = stubs_[shard]->Push(&context, &response);
  for (const v1::PushRequest& chunk : chunks) {
    if (!stream->Write(chunk)) break;  // the server has answered already
  }
  stream->WritesDone();
  const grpc::Status status = stream->Finish();
  if (!status.ok()) return FromGrpc(status);
  return response;
}

absl::Status CountingRun::PushUnit(uint64_t step, uint32_t slot, uint64_t version) {
  for (uint32_t shard = 0; shard < servers_.size(); ++shard) {
    const auto answer = Push(shard, Chunks(shard, step, slot, version));
    if (!answer.ok()) return answer.status();
  }
  return absl::OkStatus();
}

}  // namespace conadv
