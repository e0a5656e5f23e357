// SPDX-License-Identifier: Apache-2.0
#include "cli/client/inspector_client.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/backoff.h"
#include "common/base/status_macros.h"
#include "common/wire/channel.h"
#include "common/wire/status.h"

namespace conadv {
namespace {

constexpr absl::Duration kLastWord = absl::Seconds(1);

}  // namespace

InspectorClient::InspectorClient(std::string address, const WaitOptions& options)
    : address_(std::move(address)), wait_(options), who_(absl::StrCat("the server at ", address_)) {
  Connect(MakeChannel(address_, options.credentials));
}

void InspectorClient::Connect(std::shared_ptr<grpc::Channel> channel) {
  end_.reset();
  channel_ = std::move(channel);
  stub_ = v1::Inspector::NewStub(channel_);
}

absl::Status InspectorClient::Call(const std::function<grpc::Status(grpc::ClientContext*)>& call) {
  wait_.Begin();
  while (true) {
    grpc::ClientContext context;
    wait_.Limit(&context, kAnswer);
    absl::Status status = FromGrpc(call(&context), context);
    if (status.ok()) return status;
    // We did not: a server that goes away ends what is under way.
    if (absl::IsCancelled(status)) status = absl::UnavailableError("it is going away");
    if (status.code() == absl::StatusCode::kUnimplemented) {
      return absl::FailedPreconditionError(
          absl::StrCat(address_, ": something else than a conadv server answers there"));
    }
    if (!IsTransient(status)) {
      return absl::Status(status.code(), absl::StrCat(address_, ": ", status.message()));
    }
    if (end_ != nullptr && absl::IsUnavailable(status) && end_->IsOver(kLastWord)) {
      return absl::OutOfRangeError("the run is over");
    }
    CONADV_ASSIGN_OR_RETURN(std::shared_ptr<grpc::Channel> channel,
                            wait_.For(who_, address_, status));
    Connect(std::move(channel));
  }
}

void InspectorClient::Follow() {
  if (end_ != nullptr && !end_->ended()) return;
  grpc::ClientContext context;
  wait_.Begin();
  wait_.Limit(&context, kAnswer);
  v1::StatusResponse status;
  // If it is gone already, the next question tells.
  if (!stub_->Status(&context, v1::StatusRequest(), &status).ok()) return;
  who_ = absl::StrCat("server-", status.shard(), " at ", address_);
  // One that has said its last word stays: a server that still answers would have to say it again.
  if (end_ == nullptr || !end_->IsOver(absl::ZeroDuration())) {
    end_ = std::make_unique<RunEnd>(channel_);
  }
}

}  // namespace conadv
