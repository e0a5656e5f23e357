// SPDX-License-Identifier: Apache-2.0
#include "common/wire/byte_buffer.h"

#include <grpc/slice.h>

#include "common/base/status_macros.h"

namespace conadv {
namespace {

absl::StatusOr<std::vector<grpc::Slice>> SlicesOf(const grpc::ByteBuffer& buffer) {
  std::vector<grpc::Slice> slices;
  if (!buffer.Valid()) return slices;  // a message without bytes
  if (!buffer.Dump(&slices).ok()) return absl::InvalidArgumentError("an unreadable message");
  return slices;
}

grpc::Slice Referenced(const std::shared_ptr<const Arena>& arena, size_t begin, size_t size) {
  auto* owner = new std::shared_ptr<const Arena>(arena);
  // gRPC takes a pointer to mutable bytes but does not write what it sends.
  return grpc::Slice(
      const_cast<float*>(arena->data() + begin), size * sizeof(float),
      [](void* pointer) { delete static_cast<std::shared_ptr<const Arena>*>(pointer); }, owner);
}

grpc::Slice Packed(absl::Span<const float> values) {
  grpc_slice bytes = grpc_slice_malloc(values.size() * BytesOf(ElementType::kBfloat16));
  PackBfloat16(values, GRPC_SLICE_START_PTR(bytes));
  return grpc::Slice(bytes, grpc::Slice::STEAL_REF);
}

}  // namespace

grpc::ByteBuffer MakeChunkBuffer(absl::string_view header, uint64_t offset, ElementType type,
                                 const std::shared_ptr<const Arena>& arena, size_t begin,
                                 size_t size) {
  const std::string prefix = EncodeChunkPrefix(header, offset, size * BytesOf(type));
  const grpc::Slice slices[] = {grpc::Slice(prefix),
                                type == ElementType::kBfloat16
                                    ? Packed(arena->span().subspan(begin, size))
                                    : Referenced(arena, begin, size)};
  return grpc::ByteBuffer(slices, 2);
}

absl::StatusOr<ReceivedChunk> DecodeChunkBuffer(const grpc::ByteBuffer& buffer) {
  ReceivedChunk received;
  CONADV_ASSIGN_OR_RETURN(received.slices, SlicesOf(buffer));
  std::vector<Segment> segments;
  segments.reserve(received.slices.size());
  for (const grpc::Slice& slice : received.slices)
    segments.emplace_back(slice.begin(), slice.size());
  CONADV_ASSIGN_OR_RETURN(received.chunk, DecodeChunk(segments));
  return received;
}

absl::StatusOr<std::string> BytesOf(const grpc::ByteBuffer& buffer) {
  CONADV_ASSIGN_OR_RETURN(const std::vector<grpc::Slice> slices, SlicesOf(buffer));
  std::string bytes;
  for (const grpc::Slice& slice : slices) {
    bytes.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  }
  return bytes;
}

}  // namespace conadv
