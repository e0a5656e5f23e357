// SPDX-License-Identifier: Apache-2.0
#include "cli/client/weights.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "cli/client/shard_reader.h"
#include "cli/format/tables.h"
#include "client/run/find_run.h"
#include "common/base/backoff.h"
#include "common/base/clock.h"
#include "common/base/status_macros.h"
#include "common/tensor/safetensors.h"

namespace conadv {
namespace {

// A version that shard 0 just chose may be gone from a shard that is ahead: choose again.
constexpr int kAttempts = 5;
constexpr absl::Duration kAnswer = absl::Seconds(5);

// Whom a pull is about just now.
struct Peer {
  std::string address;
  std::string who;
};

Peer PeerOf(uint32_t shard, const std::string& address) {
  return {address, absl::StrCat("server-", shard, " at ", address)};
}

absl::StatusOr<v1::GetJobResponse> GetJob(const Peer& coordinator, absl::Time deadline) {
  const absl::StatusOr<v1::GetJobResponse> response = AskForRun(
      coordinator.address, std::min(deadline - Clock::Real().Now(), kAnswer), FindRunOptions());
  const absl::Status& status = response.status();
  if (status.code() == absl::StatusCode::kUnimplemented) {
    return absl::FailedPreconditionError(
        absl::StrCat(coordinator.address, " is not the coordinator; ask shard 0"));
  }
  if (!status.ok()) {
    return absl::Status(status.code(), absl::StrCat(coordinator.who, ": ", status.message()));
  }
  if (response->servers().empty()) {
    return absl::InternalError(absl::StrCat(coordinator.who, ": it names no servers"));
  }
  return response;
}

class ModelPull {
 public:
  ModelPull(const std::string& coordinator, const v1::PullRequest& selector)
      : coordinator_(PeerOf(0, coordinator)), selector_(selector), peer_(coordinator_) {}

  absl::StatusOr<Weights> Try(absl::Duration timeout) {
    const absl::Time deadline = Clock::Real().Now() + timeout;
    peer_ = coordinator_;
    CONADV_RETURN_IF_ERROR(ShardReader(peer_.who, peer_.address, deadline).WaitForFirstVersion());
    CONADV_ASSIGN_OR_RETURN(const v1::GetJobResponse job, GetJob(peer_, deadline));
    std::vector<ShardReader> shards;
    std::vector<Peer> peers;
    for (const std::string& address : job.servers()) {
      peers.push_back(PeerOf(static_cast<uint32_t>(peers.size()), address));
      shards.emplace_back(peers.back().who, address, deadline);
    }
    peer_ = peers[0];
    CONADV_ASSIGN_OR_RETURN(Layout layout, shards[0].ReadLayout(job.servers_size()));
    const auto arena = std::make_shared<Arena>(layout.total_size());
    arena->Zero();
    v1::PullRequest request = selector_;
    request.set_layout_hash(layout.hash());
    absl::StatusOr<Version> version;
    for (int attempt = 0; attempt < kAttempts; ++attempt) {
      version = ReadAll(peers, shards, layout, request, arena.get());
      if (version.ok() || !absl::IsOutOfRange(version.status()) || selector_.has_version()) break;
    }
    if (!version.ok()) return version.status();
    return Weights{job.job().name(), *version, std::move(layout), arena};
  }

  // Whom the last try had to do with last.
  const Peer& peer() const { return peer_; }

 private:
  absl::StatusOr<Version> ReadAll(const std::vector<Peer>& peers, std::vector<ShardReader>& shards,
                                  const Layout& layout, v1::PullRequest request, Arena* arena) {
    ShardReader::Part whole;
    for (uint32_t shard = 0; shard < layout.shards(); ++shard) {
      peer_ = peers[shard];
      const absl::Span<float> values =
          arena->span().subspan(layout.arena_begin(shard), layout.arena_size(shard));
      CONADV_ASSIGN_OR_RETURN(const ShardReader::Part part, shards[shard].Read(request, values));
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

  const Peer coordinator_;
  const v1::PullRequest selector_;
  Peer peer_;
};

}  // namespace

absl::StatusOr<Weights> PullWeights(const std::string& coordinator, const v1::PullRequest& selector,
                                    absl::Duration timeout) {
  return ModelPull(coordinator, selector).Try(timeout);
}

absl::StatusOr<Weights> PullWeights(const std::string& coordinator, const v1::PullRequest& selector,
                                    ServerWait* wait) {
  ModelPull pull(coordinator, selector);
  while (true) {
    absl::StatusOr<Weights> weights = pull.Try(wait->left());
    if (weights.ok() || !IsTransient(weights.status())) return weights;
    CONADV_RETURN_IF_ERROR(
        wait->For(pull.peer().who, pull.peer().address, weights.status()).status());
  }
}

std::string EncodeWeights(const Weights& weights) {
  std::vector<NamedTensor> tensors;
  for (const Placement& placement : weights.layout.placements()) {
    tensors.push_back({placement.tensor.name, placement.tensor.shape,
                       weights.values->span().subspan(weights.layout.global_offset(placement),
                                                      placement.tensor.size())});
  }
  return EncodeSafetensors(tensors,
                           {{"job", weights.job},
                            {"version", absl::StrCat(weights.version.value())},
                            {"layout_hash", absl::StrFormat("%016x", weights.layout.hash())},
                            {"weights_crc32c", CrcText(weights.crc32c())}});
}

absl::Status WriteWeights(const Weights& weights, const std::string& path,
                          const FileSystem& files) {
  return files.WriteAtomically(path, EncodeWeights(weights));
}

}  // namespace conadv
