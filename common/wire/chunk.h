// SPDX-License-Identifier: Apache-2.0
// The codec of the data plane: PullResponse and PushRequest have one wire shape,
//   chunk := [field 1: header message] [field 2: varint offset] field 15: payload bytes
// and are encoded and decoded here without copying the payload. Knows neither gRPC nor the
// messages; pure functions.
#ifndef CONADV_COMMON_WIRE_CHUNK_H_
#define CONADV_COMMON_WIRE_CHUNK_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "common/tensor/bfloat16.h"

namespace conadv {

// Payload bytes of a full chunk, and the most that a peer accepts in one message.
inline constexpr size_t kChunkBytes = size_t{1} << 20;
inline constexpr int kMaxMessageBytes = 4 << 20;

// A piece of a received message; not aligned to anything.
using Segment = absl::Span<const uint8_t>;

// The bytes before the payload. `header` is the serialized header message, or empty for none.
std::string EncodeChunkPrefix(absl::string_view header, uint64_t offset, size_t payload_size);

struct Chunk {
  bool has_header = false;
  std::string header;            // serialized
  uint64_t offset = 0;           // elements
  std::vector<Segment> payload;  // points into the decoded segments
  size_t payload_size = 0;       // bytes
};

// Any valid protobuf encoding: fields in any order, unknown ones and those of another wire type
// skipped, the last of repeated ones wins (header messages concatenated, as protobuf merges them).
// INVALID_ARGUMENT: not protobuf, or a group.
absl::StatusOr<Chunk> DecodeChunk(absl::Span<const Segment> segments);

// Copies a chunk's payload to `destination`, which has chunk.payload_size bytes.
void CopyPayload(const Chunk& chunk, void* destination);
// The payload's values as float32, which each bfloat16 is too. REQUIRES: payload_size is a multiple
// of BytesOf(type), and `destination` has room for as many.
void ReadValues(const Chunk& chunk, ElementType type, float* destination);

}  // namespace conadv

#endif  // CONADV_COMMON_WIRE_CHUNK_H_
