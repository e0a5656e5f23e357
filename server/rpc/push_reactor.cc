// SPDX-License-Identifier: Apache-2.0
#include "server/rpc/push_reactor.h"

#include <glog/logging.h>

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "common/wire/byte_buffer.h"
#include "common/wire/status.h"
#include "server/rpc/push_header.h"

namespace conadv {
namespace {

class PushReactor final : public grpc::ServerReadReactor<grpc::ByteBuffer> {
 public:
  PushReactor(Shard* shard, PushWatch* watch, Incarnation incarnation,
              grpc::CallbackServerContext* context, grpc::ByteBuffer* response)
      : shard_(shard),
        watch_(watch),
        incarnation_(incarnation),
        context_(context),
        response_(response) {
    StartRead(&message_);
  }

  void OnReadDone(bool ok) override {
    if (!ok) return OnEnd();
    const absl::Status status = OnChunk();
    // Dropped now: the slices pin gRPC's receive buffers.
    message_.Clear();
    if (!status.ok()) return Refuse(status);
    if (duplicate_) return Answer(PushOutcome::kDuplicate);
    // It has got room, and keeps it until it ends.
    if (arrival_ == 0) {
      arrival_ = watch_->Begin([this] { LetGo(); });
    } else {
      watch_->Move(arrival_);
    }
    StartRead(&message_);
  }

  void OnDone() override {
    watch_->End(arrival_);
    delete this;
  }

 private:
  absl::Status OnChunk() {
    CONADV_ASSIGN_OR_RETURN(const ReceivedChunk received, DecodeChunkBuffer(message_));
    const Chunk& chunk = received.chunk;
    if (chunk.has_header != !buffer_) {
      return absl::InvalidArgumentError("header: the first message has one, and only the first");
    }
    if (chunk.has_header) {
      CONADV_RETURN_IF_ERROR(OnHeader(chunk.header));
      if (duplicate_) return absl::OkStatus();
    }
    const size_t elements = chunk.payload_size / sizeof(float);
    if (chunk.offset != next_ || chunk.payload_size % sizeof(float) != 0 ||
        elements > range_.end - next_) {
      return absl::InvalidArgumentError(
          absl::StrCat("chunk: expected elements from ", next_, " on, up to ", range_.end,
                       " in all; got ", chunk.payload_size, " bytes at offset ", chunk.offset));
    }
    CopyPayload(chunk, buffer_->data() + (next_ - range_.begin));
    next_ += elements;
    return absl::OkStatus();
  }

  absl::Status OnHeader(const std::string& bytes) {
    CONADV_ASSIGN_OR_RETURN(header_, ParsePushHeader(bytes));
    CONADV_RETURN_IF_ERROR(shard_->CheckLineage(header_->lineage));
    if (auto* plan = std::get_if<Plan>(&header_->content)) {
      CONADV_ASSIGN_OR_RETURN(initial_, shard_->BeginInitialWeights(*plan));
      buffer_ = initial_->arena;
      duplicate_ = buffer_ == nullptr;
      if (!duplicate_) range_ = {0, buffer_->size()};
    } else {
      CONADV_ASSIGN_OR_RETURN(
          admission_,
          shard_->BeginPush(std::get<Contribution>(header_->content), header_->layout_hash));
      buffer_ = admission_.buffer;
      range_ = admission_.range;
      duplicate_ = buffer_ == nullptr;
    }
    next_ = range_.begin;
    return absl::OkStatus();
  }

  // With the watch's lock held: the call is not done before its End, which waits for that lock.
  void LetGo() {
    LOG(WARNING) << "push by " << context_->peer()
                 << " is ended: nothing comes of it, and others wait for its place";
    context_->TryCancel();
  }

  // The peer has sent everything, or has gone.
  void OnEnd() {
    watch_->End(arrival_);
    if (buffer_ == nullptr || next_ != range_.end) {
      return Finish(ToGrpc(absl::InvalidArgumentError(
          buffer_ == nullptr
              ? "push: no header"
              : absl::StrCat("push: ended at element ", next_, " of ", range_.end))));
    }
    // The reactor lives until Finish, which the callback calls.
    const auto answer = [this](const absl::StatusOr<PushOutcome>& outcome) { Answer(outcome); };
    if (initial_.has_value()) return shard_->FinishInitialWeights(*std::move(initial_), answer);
    shard_->FinishPush(std::move(std::get<Contribution>(header_->content)), std::move(admission_),
                       answer);
  }

  void Refuse(const absl::Status& status) {
    SendRetryDelay(status, context_);
    Finish(ToGrpc(status));
  }

  void Answer(const absl::StatusOr<PushOutcome>& outcome) {
    if (!outcome.ok()) return Refuse(outcome.status());
    const std::optional<RetainedRange> retained = shard_->snapshots().retained();
    const std::string bytes = EncodePushResponse(
        *outcome, retained.has_value() ? retained->latest : Version(0), incarnation_);
    const grpc::Slice slice(bytes);
    *response_ = grpc::ByteBuffer(&slice, 1);
    Finish(grpc::Status::OK);
  }

  Shard* const shard_;
  PushWatch* const watch_;
  const Incarnation incarnation_;
  grpc::CallbackServerContext* const context_;
  grpc::ByteBuffer* const response_;
  grpc::ByteBuffer message_;
  std::optional<PushHeader> header_;
  std::optional<Shard::InitialWeights> initial_;
  Shard::Admission admission_;
  std::shared_ptr<Arena> buffer_;
  Range range_;
  size_t next_ = 0;
  bool duplicate_ = false;
  uint64_t arrival_ = 0;  // for the watch; 0: nothing has come
};

}  // namespace

grpc::ServerReadReactor<grpc::ByteBuffer>* StartPush(Shard* shard, PushWatch* watch,
                                                     Incarnation incarnation,
                                                     grpc::CallbackServerContext* context,
                                                     grpc::ByteBuffer* response) {
  return new PushReactor(shard, watch, incarnation, context, response);
}

}  // namespace conadv
