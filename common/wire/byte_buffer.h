// SPDX-License-Identifier: Apache-2.0
// Between gRPC's buffers and the chunk codec, without copying payloads. Pure functions.
#ifndef CONADV_COMMON_WIRE_BYTE_BUFFER_H_
#define CONADV_COMMON_WIRE_BYTE_BUFFER_H_

#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/slice.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/tensor/arena.h"
#include "common/tensor/bfloat16.h"
#include "common/wire/chunk.h"

namespace conadv {

// A chunk whose payload is `size` elements of the arena from `begin` on. Float32 is referenced and
// not copied: the buffer's slice keeps the arena alive, on whatever thread gRPC lets go of it,
// maybe after the call's end. Bfloat16 is memory of the message's own.
grpc::ByteBuffer MakeChunkBuffer(absl::string_view header, uint64_t offset, ElementType type,
                                 const std::shared_ptr<const Arena>& arena, size_t begin,
                                 size_t size);

// A received chunk together with the slices that its payload points into.
struct ReceivedChunk {
  std::vector<grpc::Slice> slices;
  Chunk chunk;
};
// INVALID_ARGUMENT: not a chunk.
absl::StatusOr<ReceivedChunk> DecodeChunkBuffer(const grpc::ByteBuffer& buffer);

// All bytes of a small message.
absl::StatusOr<std::string> BytesOf(const grpc::ByteBuffer& buffer);

}  // namespace conadv

#endif  // CONADV_COMMON_WIRE_BYTE_BUFFER_H_
