// SPDX-License-Identifier: Apache-2.0
#include "cli/client/shard_reader.h"

#include <grpcpp/client_context.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "cli/client/server_wait.h"
#include "common/base/clock.h"
#include "common/base/status_macros.h"
#include "common/plan/plan_proto.h"
#include "common/wire/channel.h"
#include "common/wire/deadline.h"
#include "common/wire/status.h"

namespace conadv {
namespace {

// A run that does not begin is told of by then.
constexpr absl::Duration kBegin = absl::Seconds(2);

void Limit(grpc::ClientContext* context, absl::Time deadline, absl::Duration most) {
  context->set_deadline(DeadlineIn(std::min(deadline - Clock::Real().Now(), most)));
}

}  // namespace

absl::Status FailureOf(const std::string& who, const absl::Status& status) {
  if (status.code() == absl::StatusCode::kUnimplemented) {
    return absl::FailedPreconditionError(
        absl::StrCat(who, ": something else than a conadv server answers there"));
  }
  // A server that goes away cancels what it was asked; nobody else does.
  if (absl::IsCancelled(status)) {
    return absl::UnavailableError(absl::StrCat(who, ": it is going away"));
  }
  return absl::Status(status.code(), absl::StrCat(who, ": ", status.message()));
}

ShardReader::ShardReader(std::string who, const std::string& address, absl::Time deadline,
                         const ClientCredentials& credentials)
    : who_(std::move(who)),
      deadline_(deadline),
      stub_(v1::ParameterServer::NewStub(MakeChannel(address, credentials))) {}

absl::Status ShardReader::WaitForFirstVersion() {
  grpc::ClientContext context;
  Limit(&context, deadline_, kBegin);
  const auto reader = stub_->Watch(&context, v1::WatchRequest());
  v1::WatchResponse published;
  const bool there = reader->Read(&published);
  // Not after a failed read: a cancellation would hide the server's own error.
  if (there) context.TryCancel();
  const absl::Status status = FromGrpc(reader->Finish());
  if (there) return absl::OkStatus();
  return FailureOf(
      who_,
      absl::IsDeadlineExceeded(status)
          ? absl::DeadlineExceededError(
                "there are no weights yet: training has not begun, or goes back to a checkpoint")
          : status);
}

absl::StatusOr<Layout> ShardReader::ReadLayout(uint32_t shards) {
  grpc::ClientContext context;
  Limit(&context, deadline_, kAnswer);
  v1::DescribeResponse described;
  const absl::Status status =
      FromGrpc(stub_->Describe(&context, v1::DescribeRequest(), &described));
  if (!status.ok()) return FailureOf(who_, status);
  std::vector<TensorSpec> tensors;
  for (const v1::DescribeResponse::Entry& entry : described.entries()) {
    CONADV_ASSIGN_OR_RETURN(TensorSpec tensor, FromProto(entry.tensor()));
    tensors.push_back(std::move(tensor));
  }
  // It was started again since it had a version.
  if (tensors.empty()) return FailureOf(who_, absl::UnavailableError("it has no weights now"));
  CONADV_ASSIGN_OR_RETURN(Layout layout, Layout::Create(std::move(tensors), shards));
  if (layout.hash() != described.layout_hash()) {
    return FailureOf(
        who_,
        absl::FailedPreconditionError(absl::StrCat(
            "its layout is not the one that we work out (hash ", absl::Hex(described.layout_hash()),
            ", ours is ", absl::Hex(layout.hash()), "); use the conadv of the servers' version")));
  }
  return layout;
}

}  // namespace conadv
