// SPDX-License-Identifier: Apache-2.0
#include "server/rpc/data/parameter_service.h"

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "common/plan/plan_proto.h"
#include "common/wire/status.h"
#include "server/rpc/data/pull_reactor.h"
#include "server/rpc/data/push_reactor.h"
#include "server/rpc/stream/log_stream.h"

namespace conadv {
namespace {

void DescribeRun(const Shard::Run& run, uint32_t shard, v1::DescribeResponse* response) {
  for (const GradientStream& stream : run.streams) {
    const Range range = RangeOf(run.layout, shard, stream);
    v1::GradientStream* out = response->add_streams();
    out->set_name(stream.name);
    out->set_branch(ToProto(stream.branch));
    out->set_begin(range.begin);
    out->set_end(range.end);
  }
  response->set_layout_hash(run.layout.hash());
  response->set_arena_size(run.layout.arena_size(shard));
  response->set_final_version(run.last.value());
  for (const Placement& placement : run.layout.placements()) {
    v1::DescribeResponse::Entry* entry = response->add_entries();
    *entry->mutable_tensor() = ToProto(placement.tensor);
    entry->set_shard(placement.shard);
    entry->set_offset(placement.offset);
  }
}

v1::WatchResponse ToMessage(uint64_t /*index*/, const PublishedVersion& published) {
  v1::WatchResponse response;
  response.set_version(published.version.value());
  if (published.unit.has_value()) {
    response.set_step(published.unit->step.value());
    response.set_slot(static_cast<uint32_t>(published.unit->slot.value()));
  }
  response.set_published_unix_micros(absl::ToUnixMicros(published.published));
  return response;
}

// Whether the norms are of this run, as it goes on now.
absl::Status CheckNorms(const Shard& shard, const v1::CombineNormsRequest& request) {
  if (request.lineage() == 0) return absl::InvalidArgumentError("lineage: must be given");
  CONADV_RETURN_IF_ERROR(shard.CheckLineage(Lineage(request.lineage())));
  const auto run = shard.run();
  if (run == nullptr) return absl::FailedPreconditionError("there are no initial weights yet");
  if (request.layout_hash() == run->layout.hash()) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("layout_hash: this run's is ", run->layout.hash(),
                                                 ", got ", request.layout_hash()));
}

}  // namespace

grpc::ServerUnaryReactor* ParameterService::Describe(grpc::CallbackServerContext* context,
                                                     const v1::DescribeRequest* /*request*/,
                                                     v1::DescribeResponse* response) {
  response->set_shard(shard_->shard());
  response->set_shards(shard_->shards());
  response->set_incarnation(incarnation_.value());
  response->set_lineage(shard_->lineage().value());
  response->set_shared_memory(shared_memory_);
  if (const auto run = shard_->run(); run != nullptr) {
    DescribeRun(*run, shard_->shard(), response);
  }
  if (const auto retained = shard_->snapshots().retained(); retained.has_value()) {
    response->set_oldest_version(retained->oldest.value());
    response->set_latest_version(retained->latest.value());
  }
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  reactor->Finish(grpc::Status::OK);
  return reactor;
}

grpc::ServerWriteReactor<grpc::ByteBuffer>* ParameterService::Pull(
    grpc::CallbackServerContext* context, const grpc::ByteBuffer* request) {
  return StartPull(shard_, incarnation_, context, *request);
}

grpc::ServerReadReactor<grpc::ByteBuffer>* ParameterService::Push(
    grpc::CallbackServerContext* context, grpc::ByteBuffer* response) {
  return StartPush(shard_, &pushes_, first_messages_, taken_->Find(context->peer()), incarnation_,
                   context, response);
}

void ParameterService::MakeRoom() {
  shard_->snapshots().MakeRoom();
  // A push may wait for the pass that makes it: nobody is the worse for it unless he is sent away.
  if (shard_->refuses(patience_)) pushes_.EvictIdle(patience_);
}

grpc::ServerWriteReactor<v1::WatchResponse>* ParameterService::Watch(
    grpc::CallbackServerContext* /*context*/, const v1::WatchRequest* request) {
  return LogStream<PublishedVersion, v1::WatchResponse>::Start(
      request->decided() ? logs_.decided : logs_.versions, request->from(), &ToMessage);
}

grpc::ServerUnaryReactor* ParameterService::CombineNorms(grpc::CallbackServerContext* context,
                                                         const v1::CombineNormsRequest* request,
                                                         v1::CombineNormsResponse* response) {
  *taken_->Find(context->peer()) += request->ByteSizeLong();
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  // One whose peer is gone waits too: until the answer, its shard's next call or the table's end.
  const auto answer = [reactor, response](const absl::StatusOr<double>& norm) {
    if (norm.ok()) response->set_norm(*norm);
    reactor->Finish(ToGrpc(norm.status()));
  };
  absl::Status status = absl::FailedPreconditionError("no norms come together here");
  if (norms_ != nullptr) status = CheckNorms(*shard_, *request);
  if (!status.ok()) {
    answer(status);
  } else {
    norms_->Offer(
        shard_->run()->layout, request->shard(),
        {Version(request->version()), {request->squares().begin(), request->squares().end()}},
        answer);
  }
  return reactor;
}

}  // namespace conadv
