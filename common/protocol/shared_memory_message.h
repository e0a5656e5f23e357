// SPDX-License-Identifier: Apache-2.0
// What processes of one machine tell each other of memory that they share, from and to the wire:
// shared_memory.proto. Headers inside stay serialized, for those who read them from the network
// too. Pure functions.
#ifndef CONADV_COMMON_PROTOCOL_SHARED_MEMORY_MESSAGE_H_
#define CONADV_COMMON_PROTOCOL_SHARED_MEMORY_MESSAGE_H_

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/protocol/pull_message.h"
#include "common/protocol/push_message.h"

namespace conadv {

struct SegmentName {
  uint64_t id = 0;
  uint64_t bytes = 0;
};

// Where values lie that do not change any more.
struct SharedPart {
  uint64_t place = 0;   // elements, in the segment
  uint64_t offset = 0;  // elements, in the shard's arena
  uint64_t size = 0;    // elements
};
struct SharedPush {
  std::string header;  // serialized
  SegmentName segment;
  SharedPart part;
  bool more = false;  // the rest comes as SharedParts
};
struct SharedParts {
  std::vector<SharedPart> parts;  // none is empty
  bool last = false;
};
struct CancelCall {};
struct ReleaseVersion {};

struct SharedRequest {
  uint64_t call = 0;
  std::variant<PullQuery, SharedPush, SharedParts, CancelCall, ReleaseVersion> content;
};

std::string EncodeSharedRequest(const SharedRequest& request);
// INVALID_ARGUMENT names what is wrong; a pull's query is read, a push's header is not.
absl::StatusOr<SharedRequest> ParseSharedRequest(absl::string_view bytes);

struct SharedPulled {
  std::string header;  // serialized
  SegmentName segment;
};
struct ByNetwork {
  std::string why;
};
struct ForgetSegment {
  uint64_t id = 0;
};

struct SharedResponse {
  uint64_t call = 0;
  // A status is an error, with its retry delay if it has one.
  std::variant<SharedPulled, PushReply, absl::Status, ByNetwork, ForgetSegment> content;
};

// A long message of an error is cut.
std::string EncodeSharedResponse(const SharedResponse& response);
// INTERNAL: the server said what is no answer.
absl::StatusOr<SharedResponse> ParseSharedResponse(absl::string_view bytes);

// What a server says of itself to those who look for its shared memory.
struct ServerDescription {
  Incarnation incarnation;
  std::string shared_memory;  // the socket's name; empty: none
};
// INTERNAL: it is not protobuf.
absl::StatusOr<ServerDescription> ParseServerDescription(absl::string_view bytes);

}  // namespace conadv

#endif  // CONADV_COMMON_PROTOCOL_SHARED_MEMORY_MESSAGE_H_
