// SPDX-License-Identifier: Apache-2.0
// Puts a pull's chunks together: checks each against what was asked for, and copies it to its
// place. Knows no gRPC. One thread at a time.
#ifndef CONADV_CLIENT_TRANSFER_PULL_ASSEMBLY_H_
#define CONADV_CLIENT_TRANSFER_PULL_ASSEMBLY_H_

#include <optional>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "client/transfer/parameter_client.h"
#include "client/transfer/peer_identity.h"
#include "common/protocol/pull_message.h"
#include "common/wire/chunk.h"

namespace conadv {

// Whether it is the answer to what was asked. Errors as PullAssembly::Add's.
absl::Status CheckPullHeader(const PullHeader& header, const PullSelector& selector,
                             uint64_t layout_hash, PeerIdentity* peer);

class PullAssembly {
 public:
  // `peer` outlives the assembly.
  PullAssembly(const PullSelector& selector, uint64_t layout_hash, PeerIdentity* peer,
               ParameterClient::Allocate allocate);

  // DATA_LOSS: not the chunk that comes next; INVALID_ARGUMENT: of something else than was asked
  // for; ABORTED: the server was restarted.
  absl::Status Add(const Chunk& chunk);
  // After the last chunk. DATA_LOSS: it was not the last.
  absl::StatusOr<PulledShard> Finish() const;
  // Of a call whose deadline has passed: what has not come by then.
  absl::Status OutOfTime() const;

 private:
  absl::Status ReadHeader(const Chunk& chunk);

  const PullSelector selector_;
  const uint64_t layout_hash_;
  PeerIdentity* const peer_;
  const ParameterClient::Allocate allocate_;
  std::optional<PulledShard> pulled_;  // once the header is there
  absl::Span<float> destination_;
  size_t received_ = 0;  // elements
};

}  // namespace conadv

#endif  // CONADV_CLIENT_TRANSFER_PULL_ASSEMBLY_H_
