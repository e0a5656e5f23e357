// SPDX-License-Identifier: Apache-2.0
#include "cli/weights.h"

#include <grpcpp/client_context.h>

#include <cstring>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "common/base/status_macros.h"
#include "common/job/plan_proto.h"
#include "common/tensor/safetensors.h"
#include "common/wire/channel.h"
#include "common/wire/status.h"
#include "conadv/v1/coordinator.grpc.pb.h"
#include "conadv/v1/parameter_server.grpc.pb.h"

namespace conadv {
namespace {

// A version that shard 0 just chose may be gone from a shard that is ahead: choose again.
constexpr int kAttempts = 5;

absl::Status At(const std::string& address, const absl::Status& status) {
  if (status.ok()) return status;
  return absl::Status(status.code(), absl::StrCat(address, ": ", status.message()));
}

absl::StatusOr<v1::GetJobResponse> GetJob(const std::string& address, absl::Time deadline) {
  grpc::ClientContext context;
  context.set_deadline(absl::ToChronoTime(deadline));
  v1::GetJobResponse response;
  const absl::Status status = FromGrpc(v1::Coordinator::NewStub(MakeChannel(address))
                                           ->GetJob(&context, v1::GetJobRequest(), &response));
  if (status.code() == absl::StatusCode::kUnimplemented) {
    return absl::FailedPreconditionError(
        absl::StrCat(address, " is not the coordinator; ask shard 0"));
  }
  CONADV_RETURN_IF_ERROR(At(address, status));
  if (response.servers().empty()) {
    return absl::InternalError(absl::StrCat(address, ": it names no servers"));
  }
  return response;
}

// What one shard gave.
struct Part {
  Version version;
  uint64_t lineage = 0;  // of the weights: a version number means other weights in another one
};

class ShardReader {
 public:
  ShardReader(const std::string& address, absl::Time deadline)
      : address_(address),
        deadline_(deadline),
        stub_(v1::ParameterServer::NewStub(MakeChannel(address))) {}

  // Of a run that has not begun; then every shard has joined, too.
  absl::Status WaitForFirstVersion() {
    grpc::ClientContext context;
    context.set_deadline(absl::ToChronoTime(deadline_));
    const auto reader = stub_->Watch(&context, v1::WatchRequest());
    v1::WatchResponse published;
    const bool there = reader->Read(&published);
    // Not after a failed read: a cancellation would hide the server's own error.
    if (there) context.TryCancel();
    const grpc::Status status = reader->Finish();
    if (there) return absl::OkStatus();
    if (status.error_code() != grpc::StatusCode::DEADLINE_EXCEEDED) {
      return At(address_, FromGrpc(status));
    }
    return absl::DeadlineExceededError(
        absl::StrCat(address_, ": training has not begun, there are no weights yet"));
  }

  absl::StatusOr<Layout> ReadLayout(uint32_t shards) {
    grpc::ClientContext context;
    context.set_deadline(absl::ToChronoTime(deadline_));
    v1::DescribeResponse described;
    CONADV_RETURN_IF_ERROR(
        At(address_, FromGrpc(stub_->Describe(&context, v1::DescribeRequest(), &described))));
    std::vector<TensorSpec> tensors;
    for (const v1::DescribeResponse::Entry& entry : described.entries()) {
      CONADV_ASSIGN_OR_RETURN(TensorSpec tensor, FromProto(entry.tensor()));
      tensors.push_back(std::move(tensor));
    }
    CONADV_ASSIGN_OR_RETURN(Layout layout, Layout::Create(std::move(tensors), shards));
    if (layout.hash() != described.layout_hash()) {
      return absl::FailedPreconditionError(
          absl::StrCat(address_, ": its layout is not the one that we work out (hash ",
                       absl::Hex(described.layout_hash()), ", ours is ", absl::Hex(layout.hash()),
                       "); use the conadv of the servers' version"));
    }
    return layout;
  }

  // Fills `arena` and says which version it is.
  absl::StatusOr<Part> Read(const v1::PullRequest& request, absl::Span<float> arena) {
    grpc::ClientContext context;
    context.set_deadline(absl::ToChronoTime(deadline_));
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
    const absl::Status status = FromGrpc(reader->Finish());
    CONADV_RETURN_IF_ERROR(At(address_, wrong.ok() ? status : wrong));
    if (first || filled != arena.size()) {
      return absl::DataLossError(absl::StrCat(address_, ": the weights end after ", filled, " of ",
                                              arena.size(), " elements"));
    }
    return part;
  }

 private:
  static absl::Status CheckChunk(const v1::PullResponse& chunk, bool first, size_t filled,
                                 size_t size) {
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

  const std::string address_;
  const absl::Time deadline_;
  std::unique_ptr<v1::ParameterServer::Stub> stub_;
};

absl::StatusOr<Version> ReadAll(std::vector<ShardReader>& shards, const Layout& layout,
                                v1::PullRequest request, Arena* arena) {
  Part whole;
  for (uint32_t shard = 0; shard < layout.shards(); ++shard) {
    const absl::Span<float> values =
        arena->span().subspan(layout.arena_begin(shard), layout.arena_size(shard));
    CONADV_ASSIGN_OR_RETURN(const Part part, shards[shard].Read(request, values));
    if (shard == 0) whole = part;
    if (part.version != whole.version) {
      return absl::DataLossError(absl::StrCat("shard ", shard, " gave version ",
                                              part.version.value(), " for version ",
                                              whole.version.value()));
    }
    if (part.lineage != whole.lineage) {
      return absl::UnavailableError("the run has gone back to a checkpoint meanwhile");
    }
    request.set_version(whole.version.value());
  }
  return whole.version;
}

}  // namespace

absl::StatusOr<Weights> PullWeights(const std::string& coordinator, const v1::PullRequest& selector,
                                    absl::Duration timeout) {
  const absl::Time deadline = absl::Now() + timeout;
  CONADV_RETURN_IF_ERROR(ShardReader(coordinator, deadline).WaitForFirstVersion());
  CONADV_ASSIGN_OR_RETURN(const v1::GetJobResponse job, GetJob(coordinator, deadline));
  std::vector<ShardReader> shards;
  for (const std::string& address : job.servers()) shards.emplace_back(address, deadline);
  CONADV_ASSIGN_OR_RETURN(Layout layout, shards[0].ReadLayout(job.servers_size()));
  const auto arena = std::make_shared<Arena>(layout.total_size());
  arena->Zero();
  v1::PullRequest request = selector;
  request.set_layout_hash(layout.hash());
  absl::StatusOr<Version> version;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    version = ReadAll(shards, layout, request, arena.get());
    if (version.ok() || !absl::IsOutOfRange(version.status()) || selector.has_version()) break;
  }
  if (!version.ok()) return version.status();
  return Weights{job.job().name(), *version, std::move(layout), arena};
}

absl::Status WriteWeights(const Weights& weights, const std::string& path,
                          const FileSystem& files) {
  std::vector<NamedTensor> tensors;
  for (const Placement& placement : weights.layout.placements()) {
    tensors.push_back({placement.tensor.name, placement.tensor.shape,
                       weights.values->span().subspan(weights.layout.global_offset(placement),
                                                      placement.tensor.size())});
  }
  return files.WriteAtomically(
      path,
      EncodeSafetensors(tensors, {{"job", weights.job},
                                  {"version", absl::StrCat(weights.version.value())},
                                  {"layout_hash", absl::StrFormat("%016x", weights.layout.hash())},
                                  {"weights_crc32c", CrcText(weights.crc32c())}}));
}

std::string CrcText(uint32_t crc) { return absl::StrFormat("%08x", crc); }

}  // namespace conadv
