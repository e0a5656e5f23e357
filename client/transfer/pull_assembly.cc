// SPDX-License-Identifier: Apache-2.0
#include "client/transfer/pull_assembly.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/clock.h"
#include "common/base/status_macros.h"

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

absl::Status CheckPullHeader(const PullHeader& header, const PullSelector& selector,
                             uint64_t layout_hash, PeerIdentity* peer) {
  CONADV_RETURN_IF_ERROR(peer->Check(header.incarnation));
  if (header.layout_hash != layout_hash) {
    return absl::InvalidArgumentError(absl::StrCat("it has layout ", absl::Hex(header.layout_hash),
                                                   ", this process ", absl::Hex(layout_hash),
                                                   ": do both run the same job?"));
  }
  if (header.type != selector.type) {
    return absl::InvalidArgumentError("its values are of another type than was asked for");
  }
  if (!Selects(selector, header.version)) {
    return absl::InvalidArgumentError(
        absl::StrCat("asked for ", selector.ToString(), ", got version ", header.version.value()));
  }
  return absl::OkStatus();
}

PullAssembly::PullAssembly(const PullSelector& selector, uint64_t layout_hash, PeerIdentity* peer,
                           ParameterClient::Allocate allocate)
    : selector_(selector), layout_hash_(layout_hash), peer_(peer), allocate_(std::move(allocate)) {}

absl::Status PullAssembly::Add(const Chunk& chunk) {
  if (chunk.has_header == pulled_.has_value()) {
    return absl::DataLossError("a pull's first chunk, and no other, carries the header");
  }
  if (chunk.has_header) CONADV_RETURN_IF_ERROR(ReadHeader(chunk));
  const size_t width = BytesOf(selector_.type);
  const size_t elements = chunk.payload_size / width;
  if (chunk.payload_size % width != 0 || chunk.offset != received_ ||
      elements > destination_.size() - received_) {
    return absl::DataLossError(absl::StrCat("a chunk of ", chunk.payload_size, " bytes at element ",
                                            chunk.offset, ", expected one at ", received_,
                                            " within ", destination_.size(), " elements"));
  }
  ReadValues(chunk, selector_.type, destination_.data() + received_);
  received_ += elements;
  return absl::OkStatus();
}

absl::Status PullAssembly::ReadHeader(const Chunk& chunk) {
  CONADV_ASSIGN_OR_RETURN(const PullHeader header, ParsePullHeader(chunk.header));
  CONADV_RETURN_IF_ERROR(CheckPullHeader(header, selector_, layout_hash_, peer_));
  CONADV_ASSIGN_OR_RETURN(destination_, allocate_(header.version));
  if (header.size != destination_.size()) {
    return absl::DataLossError(
        absl::StrCat("an arena of ", header.size, " elements, expected ", destination_.size()));
  }
  pulled_ = PulledShard{header.version, header.lineage, Clock::Real().Now()};
  return absl::OkStatus();
}

absl::StatusOr<PulledShard> PullAssembly::Finish() const {
  if (!pulled_.has_value() || received_ != destination_.size()) {
    return absl::DataLossError(
        absl::StrCat("the pull ended after ", received_, " of ", destination_.size(), " elements"));
  }
  return *pulled_;
}

absl::Status PullAssembly::OutOfTime() const {
  if (pulled_.has_value()) {
    return absl::DeadlineExceededError(
        absl::StrCat("only ", received_, " of ", destination_.size(), " elements came in time"));
  }
  if (selector_.kind == PullSelector::Kind::kExactly) {
    return absl::DeadlineExceededError(
        absl::StrCat("version ", selector_.value, " has not come in time"));
  }
  return absl::DeadlineExceededError("it has sent nothing in time");
}

}  // namespace conadv
