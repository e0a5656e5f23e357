// SPDX-License-Identifier: Apache-2.0
#include "cli/client/shard_reader.h"

#include <grpcpp/client_context.h>

#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/clock.h"
#include "common/base/status_macros.h"
#include "common/plan/plan_proto.h"
#include "common/wire/channel.h"
#include "common/wire/deadline.h"
#include "common/wire/status.h"

namespace conadv {
namespace {

// Long enough for a busy server's answer, short enough to look again for one that has moved.
constexpr absl::Duration kAnswer = absl::Seconds(5);
// A run that does not begin is told of by then.
constexpr absl::Duration kBegin = absl::Seconds(2);

void Limit(grpc::ClientContext* context, absl::Time deadline, absl::Duration most) {
  context->set_deadline(DeadlineIn(std::min(deadline - Clock::Real().Now(), most)));
}

absl::Status CheckChunk(const v1::PullResponse& chunk, bool first, size_t filled, size_t size) {
  const size_t bytes = chunk.payload().size();
  if (chunk.has_header() != first || (first && chunk.header().size() != size)) {
    return absl::DataLossError("the weights' header is missing or not of this layout");
  }
  if (chunk.offset() != filled || bytes % sizeof(float) != 0 ||
      bytes / sizeof(float) > size - filled) {
    return absl::DataLossError("the weights' parts do not follow each other");
  }
  return absl::OkStatus();
}

// What a pull that took too long was about.
std::string Unfinished(const v1::PullRequest& request, size_t filled, size_t size) {
  if (filled > 0) return absl::StrCat("only ", filled, " of ", size, " elements came in time");
  if (!request.has_version()) return "it has sent nothing in time";
  return absl::StrCat("version ", request.version(), " has not come in time");
}

}  // namespace

ShardReader::ShardReader(std::string who, const std::string& address, absl::Time deadline)
    : who_(std::move(who)),
      deadline_(deadline),
      stub_(v1::ParameterServer::NewStub(MakeChannel(address))) {}

absl::Status ShardReader::Failed(const absl::Status& status) const {
  if (status.code() == absl::StatusCode::kUnimplemented) {
    return absl::FailedPreconditionError(
        absl::StrCat(who_, ": something else than a conadv server answers there"));
  }
  return absl::Status(status.code(), absl::StrCat(who_, ": ", status.message()));
}

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
  return Failed(
      absl::IsDeadlineExceeded(status)
          ? absl::DeadlineExceededError("training has not begun, there are no weights yet")
          : status);
}

absl::StatusOr<Layout> ShardReader::ReadLayout(uint32_t shards) {
  grpc::ClientContext context;
  Limit(&context, deadline_, kAnswer);
  v1::DescribeResponse described;
  const absl::Status status =
      FromGrpc(stub_->Describe(&context, v1::DescribeRequest(), &described));
  if (!status.ok()) return Failed(status);
  std::vector<TensorSpec> tensors;
  for (const v1::DescribeResponse::Entry& entry : described.entries()) {
    CONADV_ASSIGN_OR_RETURN(TensorSpec tensor, FromProto(entry.tensor()));
    tensors.push_back(std::move(tensor));
  }
  // It was started again since it had a version.
  if (tensors.empty()) return Failed(absl::UnavailableError("it has no weights now"));
  CONADV_ASSIGN_OR_RETURN(Layout layout, Layout::Create(std::move(tensors), shards));
  if (layout.hash() != described.layout_hash()) {
    return Failed(absl::FailedPreconditionError(absl::StrCat(
        "its layout is not the one that we work out (hash ", absl::Hex(described.layout_hash()),
        ", ours is ", absl::Hex(layout.hash()), "); use the conadv of the servers' version")));
  }
  return layout;
}

absl::StatusOr<ShardReader::Part> ShardReader::Read(const v1::PullRequest& request,
                                                    absl::Span<float> arena) {
  grpc::ClientContext context;
  Limit(&context, deadline_, absl::InfiniteDuration());
  const auto reader = stub_->Pull(&context, request);
  v1::PullResponse chunk;
  Part part;
  size_t filled = 0;
  bool first = true;
  absl::Status wrong;
  while (wrong.ok() && reader->Read(&chunk)) {
    wrong = CheckChunk(chunk, first, filled, arena.size());
    if (!wrong.ok()) break;
    if (first) part = {Version(chunk.header().version()), chunk.header().lineage()};
    first = false;
    std::memcpy(arena.data() + filled, chunk.payload().data(), chunk.payload().size());
    filled += chunk.payload().size() / sizeof(float);
  }
  if (!wrong.ok()) context.TryCancel();
  absl::Status status = FromGrpc(reader->Finish());
  if (!wrong.ok()) return Failed(wrong);
  if (absl::IsDeadlineExceeded(status)) {
    status = absl::DeadlineExceededError(Unfinished(request, filled, arena.size()));
  }
  // It lets go of who takes nothing while others wait: we were too slow, and come back.
  if (absl::IsCancelled(status)) status = absl::UnavailableError("it has ended the call");
  if (!status.ok()) return Failed(status);
  if (first || filled != arena.size()) {
    return Failed(absl::DataLossError(
        absl::StrCat("the weights end after ", filled, " of ", arena.size(), " elements")));
  }
  return part;
}

}  // namespace conadv
