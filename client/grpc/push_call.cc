// SPDX-License-Identifier: Apache-2.0
#include "client/grpc/push_call.h"

#include <grpcpp/support/client_callback.h>

#include <algorithm>
#include <utility>

#include "absl/time/clock.h"
#include "common/base/status_macros.h"
#include "common/protocol/push_message.h"
#include "common/wire/byte_buffer.h"
#include "common/wire/deadline.h"

namespace conadv {
namespace {

constexpr char kMethod[] = "/conadv.v1.ParameterServer/Push";

class PushCall final : public grpc::ClientBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer> {
 public:
  PushCall(CallRegistry* registry, PeerIdentity* peer, std::shared_ptr<grpc::ClientContext> context,
           std::string header, const PushContent& content, ParameterClient::PushDone done)
      : registry_(registry),
        peer_(peer),
        context_(std::move(context)),
        header_(std::move(header)),
        arena_(content.arena),
        arena_begin_(content.arena_begin),
        next_(content.range.begin),
        end_(content.range.end),
        type_(content.type),
        done_(std::move(done)) {}

  void Start(grpc::GenericStub* stub) {
    stub->PrepareBidiStreamingCall(context_.get(), kMethod, grpc::StubOptions(), this);
    StartRead(&response_);
    WriteNext();
    StartCall();
  }

  // Not ok: the server has answered without waiting for the rest.
  void OnWriteDone(bool ok) override {
    if (ok && !last_) WriteNext();
  }

  void OnReadDone(bool ok) override { answered_ = ok; }

  void OnDone(const grpc::Status& status) override {
    done_(status.ok() ? Answer() : registry_->EndOf(context_, status));
    done_ = nullptr;
    registry_->Remove(std::move(context_));
    delete this;
  }

 private:
  void WriteNext() {
    const size_t elements = std::min(kChunkBytes / BytesOf(type_), end_ - next_);
    message_ = MakeChunkBuffer(header_, next_, type_, arena_, arena_begin_ + next_, elements);
    header_.clear();
    next_ += elements;
    last_ = next_ == end_;
    if (last_) {
      StartWriteLast(&message_, grpc::WriteOptions());
    } else {
      StartWrite(&message_);
    }
  }

  absl::StatusOr<PushReply> Answer() {
    if (!answered_) {
      return absl::InternalError("server " + peer_->address() + ": no answer to a push");
    }
    CONADV_ASSIGN_OR_RETURN(const std::string bytes, BytesOf(response_));
    CONADV_ASSIGN_OR_RETURN(const PushReply reply, ParsePushReply(bytes));
    CONADV_RETURN_IF_ERROR(peer_->Check(reply.incarnation));
    return reply;
  }

  CallRegistry* const registry_;
  PeerIdentity* const peer_;
  std::shared_ptr<grpc::ClientContext> context_;
  std::string header_;  // serialized; empty once it is sent
  const std::shared_ptr<const Arena> arena_;
  const size_t arena_begin_;
  size_t next_;  // elements, in the shard's arena
  const size_t end_;
  const ElementType type_;
  bool last_ = false;
  bool answered_ = false;
  grpc::ByteBuffer message_;
  grpc::ByteBuffer response_;
  ParameterClient::PushDone done_;
};

}  // namespace

void StartPushCall(grpc::GenericStub* stub, CallRegistry* registry, PeerIdentity* peer,
                   uint64_t layout_hash, const std::string& worker, const PushContent& content,
                   absl::Duration timeout, ParameterClient::PushDone done) {
  auto context = std::make_shared<grpc::ClientContext>();
  context->set_deadline(DeadlineIn(timeout));
  if (!registry->Add(context)) {
    done(absl::CancelledError("this client is shutting down"));
    return;
  }
  auto* call = new PushCall(
      registry, peer, std::move(context),
      EncodePushHeader({layout_hash, peer->lineage(), worker, content.header, content.type}),
      content, std::move(done));
  call->Start(stub);
}

}  // namespace conadv
