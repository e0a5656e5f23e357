// SPDX-License-Identifier: Apache-2.0
#include "server/rpc/data/push_reactor.h"

#include <glog/logging.h>

#include <utility>

#include "common/base/status_macros.h"
#include "common/wire/byte_buffer.h"
#include "common/wire/status.h"
#include "server/transfer/push_session.h"

namespace conadv {
namespace {

class PushReactor final : public grpc::ServerReadReactor<grpc::ByteBuffer> {
 public:
  PushReactor(Shard* shard, PushWatch* watch, FirstMessages* first_messages,
              TakenBytes::Counter taken, Incarnation incarnation,
              grpc::CallbackServerContext* context, grpc::ByteBuffer* response)
      : context_(context),
        response_(response),
        taken_(std::move(taken)),
        session_(shard, watch, incarnation, [this] { Evict(); }),
        first_messages_(first_messages),
        silent_(first_messages_->Begin([context] { context->TryCancel(); })) {
    StartRead(&message_);
  }

  void OnReadDone(bool ok) override {
    if (!began_) first_messages_->End(silent_);
    began_ = true;
    if (!ok) return session_.Finish([this](const auto& reply) { Answer(reply); });
    *taken_ += message_.Length();
    const absl::Status status = Receive();
    // Dropped now: the slices pin gRPC's receive buffers.
    message_.Clear();
    if (!status.ok()) return Answer(status);
    if (session_.is_duplicate()) return Answer(session_.Reply(PushOutcome::kDuplicate));
    StartRead(&message_);
  }

  void OnDone() override {
    first_messages_->End(silent_);
    delete this;
  }

 private:
  absl::Status Receive() {
    CONADV_ASSIGN_OR_RETURN(const ReceivedChunk received, DecodeChunkBuffer(message_));
    return session_.Add(received.chunk);
  }

  // With the watch's lock held: the call is not done before the session's end, which waits for that
  // lock.
  void Evict() {
    LOG(WARNING) << "push by " << context_->peer()
                 << " is ended: nothing comes of it, and others wait for its place";
    context_->TryCancel();
  }

  void Answer(const absl::StatusOr<PushReply>& reply) {
    if (reply.ok()) {
      const grpc::Slice slice(EncodePushReply(*reply));
      *response_ = grpc::ByteBuffer(&slice, 1);
    } else {
      SendRetryDelay(reply.status(), context_);
    }
    Finish(ToGrpc(reply.status()));
  }

  grpc::CallbackServerContext* const context_;
  grpc::ByteBuffer* const response_;
  const TakenBytes::Counter taken_;
  grpc::ByteBuffer message_;
  PushSession session_;
  bool began_ = false;
  FirstMessages* const first_messages_;
  const uint64_t silent_;
};

}  // namespace

grpc::ServerReadReactor<grpc::ByteBuffer>* StartPush(
    Shard* shard, PushWatch* watch, FirstMessages* first_messages, TakenBytes::Counter taken,
    Incarnation incarnation, grpc::CallbackServerContext* context, grpc::ByteBuffer* response) {
  return new PushReactor(shard, watch, first_messages, std::move(taken), incarnation, context,
                         response);
}

}  // namespace conadv
