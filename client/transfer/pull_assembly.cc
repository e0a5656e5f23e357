// SPDX-License-Identifier: Apache-2.0
#include "client/transfer/pull_assembly.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/clock.h"
#include "common/base/status_macros.h"
#include "common/protocol/pull_message.h"

namespace conadv {
namespace {

bool Selects(const PullSelector& selector, Version version) {
  switch (selector.kind) {
    case PullSelector::Kind::kExactly: return version.value() == selector.value;
    case PullSelector::Kind::kAtLeast: return version.value() >= selector.value;
    case PullSelector::Kind::kLatest:
    case PullSelector::Kind::kLag: return true;
  }
  return false;
}

}  // namespace

PullAssembly::PullAssembly(const PullSelector& selector, uint64_t layout_hash, PeerIdentity* peer,
                           ParameterClient::Allocate allocate)
    : selector_(selector), layout_hash_(layout_hash), peer_(peer), allocate_(std::move(allocate)) {}

absl::Status PullAssembly::Add(const Chunk& chunk) {
  if (chunk.has_header == pulled_.has_value()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "server ", peer_->address(), ": a pull's first chunk, and no other, carries the header"));
  }
  if (chunk.has_header) CONADV_RETURN_IF_ERROR(ReadHeader(chunk));
  const size_t elements = chunk.payload_size / sizeof(float);
  if (chunk.payload_size % sizeof(float) != 0 || chunk.offset != received_ ||
      elements > destination_.size() - received_) {
    return absl::InvalidArgumentError(absl::StrCat("server ", peer_->address(), ": a chunk of ",
                                                   chunk.payload_size, " bytes at element ",
                                                   chunk.offset, ", expected one at ", received_,
                                                   " within ", destination_.size(), " elements"));
  }
  CopyPayload(chunk, destination_.data() + received_);
  received_ += elements;
  return absl::OkStatus();
}

absl::Status PullAssembly::ReadHeader(const Chunk& chunk) {
  const absl::StatusOr<PullHeader> parsed = ParsePullHeader(chunk.header);
  if (!parsed.ok()) {
    return absl::Status(parsed.status().code(),
                        absl::StrCat("server ", peer_->address(), ": ", parsed.status().message()));
  }
  const PullHeader& header = *parsed;
  CONADV_RETURN_IF_ERROR(peer_->Check(header.incarnation));
  if (header.layout_hash != layout_hash_) {
    return absl::InvalidArgumentError(
        absl::StrCat("server ", peer_->address(), " has layout ", absl::Hex(header.layout_hash),
                     ", this process ", absl::Hex(layout_hash_), ": do both run the same job?"));
  }
  if (!Selects(selector_, header.version)) {
    return absl::InvalidArgumentError(absl::StrCat("server ", peer_->address(), ": asked for ",
                                                   selector_.ToString(), ", got version ",
                                                   header.version.value()));
  }
  CONADV_ASSIGN_OR_RETURN(destination_, allocate_(header.version));
  if (header.size != destination_.size()) {
    return absl::InvalidArgumentError(absl::StrCat("server ", peer_->address(), ": an arena of ",
                                                   header.size, " elements, expected ",
                                                   destination_.size()));
  }
  pulled_ = PulledShard{header.version, Clock::Real().Now()};
  return absl::OkStatus();
}

absl::StatusOr<PulledShard> PullAssembly::Finish() const {
  if (!pulled_.has_value() || received_ != destination_.size()) {
    return absl::DataLossError(absl::StrCat("server ", peer_->address(), ": the pull ended after ",
                                            received_, " of ", destination_.size(), " elements"));
  }
  return *pulled_;
}

}  // namespace conadv
