// SPDX-License-Identifier: Apache-2.0
// The chunk codec takes what protobuf takes, with the same meaning, however the message is cut.
//   input := cut (1 byte) message
#include <google/protobuf/unknown_field_set.h>

#include <algorithm>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "common/wire/chunk.h"
#include "conadv/v1/parameter_server.pb.h"
#include "tests/fuzz/allocation.h"
#include "tests/fuzz/property.h"
#include "tests/fuzz/target.h"

namespace conadv::fuzz {
namespace {

using google::protobuf::UnknownField;
using google::protobuf::UnknownFieldSet;

// Each piece in memory of its own, so that reading past one is seen. Some are empty.
std::vector<std::vector<uint8_t>> Cut(Segment message, uint8_t cut) {
  std::vector<std::vector<uint8_t>> pieces;
  for (size_t begin = 0, i = 0; begin < message.size(); ++i) {
    const size_t size = std::min<size_t>((cut + i * (cut % 7)) % 19, message.size() - begin);
    const Segment piece = message.subspan(begin, i % 2 == 0 ? size + 1 : size);
    pieces.emplace_back(piece.begin(), piece.end());
    begin += piece.size();
  }
  return pieces;
}

std::string PayloadOf(const Chunk& chunk) {
  std::string payload(chunk.payload_size, '\0');
  CopyPayload(chunk, payload.data());
  return payload;
}

void RequireSame(const Chunk& a, const Chunk& b, absl::string_view property) {
  Require(a.has_header == b.has_header && a.header == b.header && a.offset == b.offset &&
              PayloadOf(a) == PayloadOf(b),
          property);
}

// What protobuf reads.
struct Oracle {
  bool valid = false;
  bool has_header = false;
  std::string header;
  uint64_t offset = 0;
  std::string payload;
};

Oracle AskProtobuf(Segment message) {
  Oracle oracle;
  v1::DescribeRequest no_fields;  // of its own: all are unknown
  oracle.valid = no_fields.ParseFromArray(message.data(), static_cast<int>(message.size()));
  const UnknownFieldSet& fields = no_fields.GetReflection()->GetUnknownFields(no_fields);
  for (int i = 0; oracle.valid && i < fields.field_count(); ++i) {
    const UnknownField& field = fields.field(i);
    const bool bytes = field.type() == UnknownField::TYPE_LENGTH_DELIMITED;
    // Groups are in none of our messages, and the codec refuses them.
    if (field.type() == UnknownField::TYPE_GROUP) oracle.valid = false;
    if (bytes && field.number() == 1) {
      oracle.has_header = true;
      oracle.header += field.length_delimited();
    }
    if (bytes && field.number() == 15) oracle.payload = field.length_delimited();
    if (field.type() == UnknownField::TYPE_VARINT && field.number() == 2) {
      oracle.offset = field.varint();
    }
  }
  return oracle;
}

void RequireEncodesAgain(const Chunk& chunk) {
  const std::string bytes =
      EncodeChunkPrefix(chunk.header, chunk.offset, chunk.payload_size) + PayloadOf(chunk);
  const Segment message(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
  absl::StatusOr<Chunk> again = DecodeChunk({message});
  Require(again.ok(), "what was decoded encodes to a message", again.status().ToString());
  // An empty header and none are written alike.
  again->has_header = chunk.has_header;
  RequireSame(chunk, *again, "what was decoded encodes to an equal chunk");
}

void TestChunk(Segment message, uint8_t cut) {
  const std::vector<std::vector<uint8_t>> pieces = Cut(message, cut);
  const std::vector<Segment> segments(pieces.begin(), pieces.end());
  const AllocationMeter meter;
  const absl::StatusOr<Chunk> whole = DecodeChunk({message});
  const absl::StatusOr<Chunk> in_pieces = DecodeChunk(segments);
  RequireBounded(meter, 4096 + 128 * message.size());

  Require(whole.status() == in_pieces.status(), "cuts do not change what is refused");
  const Oracle oracle = AskProtobuf(message);
  Require(oracle.valid == whole.ok(), "the codec and protobuf refuse the same",
          whole.status().ToString());
  if (!whole.ok()) {
    return RequireRefusal(whole.status(), absl::StatusCode::kInvalidArgument, message.size());
  }
  RequireSame(*whole, *in_pieces, "cuts do not change what is read");
  Require(whole->has_header == oracle.has_header && whole->header == oracle.header &&
              whole->offset == oracle.offset && PayloadOf(*whole) == oracle.payload,
          "the codec and protobuf read the same");
  RequireEncodesAgain(*whole);
}

}  // namespace
}  // namespace conadv::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size > 0) conadv::fuzz::TestChunk({data + 1, size - 1}, data[0]);
  return 0;
}
