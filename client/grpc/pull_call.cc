// SPDX-License-Identifier: Apache-2.0
#include "client/grpc/pull_call.h"

#include <grpcpp/support/client_callback.h>

#include <utility>

#include "absl/time/clock.h"
#include "common/base/status_macros.h"
#include "common/protocol/pull_message.h"
#include "common/wire/byte_buffer.h"
#include "common/wire/deadline.h"

namespace conadv {
namespace {

constexpr char kPull[] = "/conadv.v1.ParameterServer/Pull";

grpc::ByteBuffer Encode(const PullQuery& query) {
  const grpc::Slice slice(EncodePullQuery(query));
  return grpc::ByteBuffer(&slice, 1);
}

// A bidirectional reactor drives any streaming method: this one writes once.
class PullCall final : public grpc::ClientBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer> {
 public:
  PullCall(CallRegistry* registry, std::shared_ptr<grpc::ClientContext> context,
           grpc::ByteBuffer request, PullAssembly assembly, ParameterClient::PullDone done)
      : registry_(registry),
        context_(std::move(context)),
        request_(std::move(request)),
        assembly_(std::move(assembly)),
        done_(std::move(done)) {}

  void Start(grpc::GenericStub* stub) {
    stub->PrepareBidiStreamingCall(context_.get(), kPull, grpc::StubOptions(), this);
    StartWriteLast(&request_, grpc::WriteOptions());
    StartRead(&message_);
    StartCall();
  }

  void OnReadDone(bool ok) override {
    if (!ok) return;
    error_ = Receive();
    if (error_.ok()) {
      StartRead(&message_);
    } else {
      context_->TryCancel();
    }
  }

  void OnDone(const grpc::Status& status) override {
    if (!error_.ok()) {
      done_(error_);
    } else if (!status.ok()) {
      const absl::Status end = registry_->EndOf(context_, status);
      done_(absl::IsDeadlineExceeded(end) ? assembly_.OutOfTime() : end);
    } else {
      done_(assembly_.Finish());
    }
    done_ = nullptr;
    registry_->Remove(std::move(context_));
    delete this;
  }

 private:
  absl::Status Receive() {
    CONADV_ASSIGN_OR_RETURN(const ReceivedChunk received, DecodeChunkBuffer(message_));
    return assembly_.Add(received.chunk);
  }

  CallRegistry* const registry_;
  std::shared_ptr<grpc::ClientContext> context_;
  grpc::ByteBuffer request_;
  grpc::ByteBuffer message_;
  PullAssembly assembly_;
  ParameterClient::PullDone done_;
  absl::Status error_;
};

}  // namespace

void StartPullCall(grpc::GenericStub* stub, CallRegistry* registry, PeerIdentity* peer,
                   uint64_t layout_hash, const PullSelector& selector, absl::Duration timeout,
                   ParameterClient::Allocate allocate, ParameterClient::PullDone done) {
  auto context = std::make_shared<grpc::ClientContext>();
  context->set_deadline(DeadlineIn(timeout));
  if (!registry->Add(context)) {
    done(absl::CancelledError("this client is shutting down"));
    return;
  }
  auto* call =
      new PullCall(registry, std::move(context), Encode({selector, layout_hash, peer->lineage()}),
                   PullAssembly(selector, layout_hash, peer, std::move(allocate)), std::move(done));
  call->Start(stub);
}

}  // namespace conadv
