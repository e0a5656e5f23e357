// SPDX-License-Identifier: Apache-2.0
#include "tests/soak/wire_worker.h"

#include <algorithm>
#include <utility>

#include "absl/time/clock.h"
#include "common/base/retry_delay.h"
#include "common/base/status_macros.h"
#include "common/plan/plan_proto.h"
#include "common/thread/wait.h"
#include "common/wire/channel.h"
#include "common/wire/chunk.h"
#include "common/wire/status.h"
#include "tests/soak/unit_loop.h"

namespace conadv {
namespace {

constexpr absl::Duration kCall = absl::Seconds(60);
constexpr size_t kChunkElements = kChunkBytes / sizeof(float);

// gRPC 1.51 may take a connection that is under way for one that failed (it reads errno late,
// grpc/grpc#35064): calls wait for the next one.
void WaitForReady(grpc::ClientContext* context) { context->set_wait_for_ready(true); }

void SetDeadline(grpc::ClientContext* context) {
  WaitForReady(context);
  context->set_deadline(absl::ToChronoTime(absl::Now() + kCall));
}

}  // namespace

WireWorker::WireWorker(const std::string& address, std::string name, const TinyRun& run)
    : name_(std::move(name)),
      run_(run),
      plan_(PlanOf(run)),
      layout_(*Layout::Create(plan_.tensors, 1)) {
  const std::shared_ptr<grpc::Channel> channel = MakeChannel(address);
  server_ = v1::ParameterServer::NewStub(channel);
  coordinator_ = v1::Coordinator::NewStub(channel);
}

absl::Status WireWorker::Run() {
  grpc::ClientContext context;
  WaitForReady(&context);
  const auto session = coordinator_->Join(&context);
  heartbeat_ = [&session] {
    v1::JoinRequest heartbeat;
    heartbeat.mutable_heartbeat();
    session->Write(heartbeat);
  };
  return RunUnits(name_, plan_,
                  {[this](uint64_t lineage) { lineage_ = lineage; }, [this] { return Offer(); },
                   [this](const v1::Unit& unit) { return Work(unit); }, done},
                  &context, session.get());
}

absl::Status WireWorker::Offer() {
  v1::PushHeader header;
  header.set_worker(name_);
  *header.mutable_initial_weights()->mutable_plan() = ToProto(plan_);
  return Push(header, 0);
}

absl::Status WireWorker::Work(const v1::Unit& unit) {
  const bool sync = run_.consistency == v1::Training::SYNC;
  v1::PullRequest request;
  sync ? request.set_version(unit.step()) : request.set_latest(true);
  request.set_lineage(lineage_);
  const absl::StatusOr<uint64_t> version = Pull(request);
  // The step is over already: another worker was asked to do the unit as well.
  if (sync && absl::IsOutOfRange(version.status())) return absl::OkStatus();
  CONADV_RETURN_IF_ERROR(version.status());
  CONADV_RETURN_IF_ERROR(Push(HeaderOf(unit, *version), 1));
  ++report_.units;
  return absl::OkStatus();
}

v1::PushHeader WireWorker::HeaderOf(const v1::Unit& unit, uint64_t version) const {
  v1::PushHeader header;
  header.set_layout_hash(layout_.hash());
  header.set_worker(name_);
  header.mutable_contribution()->set_step(unit.step());
  header.mutable_contribution()->set_slot(unit.slot());
  header.mutable_contribution()->set_update_version(version);
  return header;
}

absl::Status WireWorker::PushHeaderOnly(const v1::Unit& unit) {
  grpc::ClientContext context;
  SetDeadline(&context);
  v1::PushResponse response;
  const auto stream = server_->Push(&context, &response);
  v1::PushRequest chunk;
  *chunk.mutable_header() = HeaderOf(unit, 0);
  stream->Write(chunk);
  stream->WritesDone();
  return FromGrpc(stream->Finish(), context);
}

absl::StatusOr<uint64_t> WireWorker::Pull(const v1::PullRequest& request) {
  grpc::ClientContext context;
  SetDeadline(&context);
  const auto stream = server_->Pull(&context, request);
  v1::PullResponse chunk;
  uint64_t version = 0;
  while (stream->Read(&chunk)) {
    if (chunk.has_header()) version = chunk.header().version();
  }
  const grpc::Status status = stream->Finish();
  if (!status.ok()) return FromGrpc(status);
  return version;
}

absl::Status WireWorker::Push(const v1::PushHeader& header, float value) {
  while (true) {
    const absl::Status status = PushOnce(header, value);
    if (!absl::IsResourceExhausted(status)) return status;
    ++report_.refusals;
    heartbeat_();
    const std::optional<absl::Duration> delay = RetryDelayOf(status);
    if (!delay.has_value()) ++report_.refusals_without_delay;
    WaitFor(delay.value_or(absl::Milliseconds(20)), [] { return false; });
  }
}

absl::Status WireWorker::PushOnce(const v1::PushHeader& header, float value) {
  const std::vector<float> values(layout_.total_size(), value);
  const size_t half = values.size() / 2;
  grpc::ClientContext context;
  SetDeadline(&context);
  v1::PushResponse response;
  const auto stream = server_->Push(&context, &response);
  v1::PushRequest chunk;
  *chunk.mutable_header() = header;
  for (size_t begin = 0, end; begin < values.size(); begin = end) {
    const size_t part = begin < half ? half : values.size();
    end = std::min(begin + kChunkElements, part);
    chunk.set_offset(begin);
    chunk.set_payload(values.data() + begin, (end - begin) * sizeof(float));
    if (!stream->Write(chunk)) break;  // the server has answered already
    if (end == half && header.has_contribution() && report_.units == 0) half_way();
    chunk.Clear();
  }
  stream->WritesDone();
  return FromGrpc(stream->Finish(), context);
}

}  // namespace conadv
