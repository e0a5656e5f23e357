// SPDX-License-Identifier: Apache-2.0
#include "client/grpc/push_call.h"

#include <grpcpp/support/client_callback.h>

#include <memory>
#include <utility>

#include "absl/time/clock.h"
#include "client/transfer/ready_chunks.h"
#include "common/base/status_macros.h"
#include "common/protocol/push_message.h"
#include "common/thread/mutex.h"
#include "common/wire/byte_buffer.h"
#include "common/wire/deadline.h"

namespace conadv {
namespace {

constexpr char kPush[] = "/conadv.v1.ParameterServer/Push";

class PushCall;

// The way from values that have become final to the call that waits for them, which may be over by
// then.
struct Wakeup {
  Mutex mutex;
  PushCall* call = nullptr;  // while it is held; under the mutex
};

// While values are still to come, gRPC holds the call: it does not end before it is let go.
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
        type_(content.type),
        ready_(content.ready),
        done_(std::move(done)) {
    if (ready_ != nullptr) return;
    ready_ = std::make_shared<ReadyChunks>(content.range, kChunkBytes / BytesOf(type_));
    ready_->AddRest();
  }

  void Start(grpc::GenericStub* stub) {
    stub->PrepareBidiStreamingCall(context_.get(), kPush, grpc::StubOptions(), this);
    StartRead(&response_);
    bool abandoned;
    {
      MutexLock lock(&wakeup_->mutex);
      AddHold();
      wakeup_->call = this;
      abandoned = !WriteNext();
    }
    // A cancelled call may end on this thread, before this returns.
    const auto [registry, context] = std::pair(registry_, context_);
    StartCall();
    if (abandoned) registry->Cancel(context);
  }

  // Not ok: the server has answered without waiting for the rest.
  void OnWriteDone(bool ok) override {
    if (ok) Continue(wakeup_);
  }

  void OnReadDone(bool ok) override {
    answered_ = ok;
    MutexLock lock(&wakeup_->mutex);
    LetGo();
  }

  void OnDone(const grpc::Status& status) override {
    done_(status.ok() ? Answer() : registry_->EndOf(context_, status));
    done_ = nullptr;
    registry_->Remove(std::move(context_));
    delete this;
  }

 private:
  // Of a call that is not writing; it may be over.
  static void Continue(const std::shared_ptr<Wakeup>& wakeup) {
    CallRegistry* registry;
    std::shared_ptr<grpc::ClientContext> context;
    {
      MutexLock lock(&wakeup->mutex);
      PushCall* const call = wakeup->call;
      if (call == nullptr || call->WriteNext()) return;
      registry = call->registry_;
      context = call->context_;
    }
    registry->Cancel(context);
  }

  // False: what is to come never will, so that the call has to be cancelled, without the lock.
  // REQUIRES: the wakeup's lock, and nothing is being written.
  bool WriteNext() {
    const ReadyChunks::Next next = ready_->Get(written_, [wakeup = wakeup_] { Continue(wakeup); });
    if (next.state != ReadyChunks::State::kReady) {
      return next.state == ReadyChunks::State::kLater;
    }
    message_ = MakeChunkBuffer(header_, next.chunk.begin, type_, arena_,
                               arena_begin_ + next.chunk.begin, next.chunk.size());
    header_.clear();
    ++written_;
    if (next.last) {
      StartWriteLast(&message_, grpc::WriteOptions());
      LetGo();
    } else {
      StartWrite(&message_);
    }
    return true;
  }

  // REQUIRES: the wakeup's lock. The last that its holder does with the call: it may be gone then.
  void LetGo() {
    if (std::exchange(wakeup_->call, nullptr) != nullptr) RemoveHold();
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
  const ElementType type_;
  std::shared_ptr<ReadyChunks> ready_;
  size_t written_ = 0;  // chunks
  const std::shared_ptr<Wakeup> wakeup_ = std::make_shared<Wakeup>();
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
