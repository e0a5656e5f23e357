// SPDX-License-Identifier: Apache-2.0
#include "client/grpc/describe_call.h"

#include <grpcpp/support/client_callback.h>

#include <memory>
#include <string>
#include <utility>

#include "common/base/status_macros.h"
#include "common/wire/byte_buffer.h"
#include "common/wire/deadline.h"

namespace conadv {
namespace {

constexpr char kDescribe[] = "/conadv.v1.ParameterServer/Describe";

absl::StatusOr<ServerDescription> Read(const grpc::ByteBuffer& response, PeerIdentity* peer) {
  CONADV_ASSIGN_OR_RETURN(const std::string bytes, BytesOf(response));
  CONADV_ASSIGN_OR_RETURN(const ServerDescription description, ParseServerDescription(bytes));
  CONADV_RETURN_IF_ERROR(peer->Check(description.incarnation));
  return description;
}

// A reactor: gRPC lets go of its call before OnDone, of one with a function only after it.
class DescribeCall final : public grpc::ClientUnaryReactor {
 public:
  DescribeCall(CallRegistry* registry, PeerIdentity* peer,
               std::shared_ptr<grpc::ClientContext> context, ParameterClient::DescribeDone done)
      : registry_(registry), peer_(peer), context_(std::move(context)), done_(std::move(done)) {
    const grpc::Slice nothing;
    request_ = grpc::ByteBuffer(&nothing, 1);
  }

  void Start(grpc::GenericStub* stub) {
    stub->PrepareUnaryCall(context_.get(), kDescribe, grpc::StubOptions(), &request_, &response_,
                           this);
    StartCall();
  }

  void OnDone(const grpc::Status& status) override {
    if (status.ok()) {
      done_(Read(response_, peer_));
    } else {
      done_(registry_->EndOf(context_, status));
    }
    done_ = nullptr;
    registry_->Remove(std::move(context_));
    delete this;
  }

 private:
  CallRegistry* const registry_;
  PeerIdentity* const peer_;
  std::shared_ptr<grpc::ClientContext> context_;
  ParameterClient::DescribeDone done_;
  grpc::ByteBuffer request_;
  grpc::ByteBuffer response_;
};

}  // namespace

void StartDescribeCall(grpc::GenericStub* stub, CallRegistry* registry, PeerIdentity* peer,
                       absl::Duration timeout, ParameterClient::DescribeDone done) {
  auto context = std::make_shared<grpc::ClientContext>();
  context->set_deadline(DeadlineIn(timeout));
  if (!registry->Add(context)) {
    done(absl::CancelledError("this client is shutting down"));
    return;
  }
  auto* call = new DescribeCall(registry, peer, std::move(context), std::move(done));
  call->Start(stub);
}

}  // namespace conadv
