// SPDX-License-Identifier: Apache-2.0
#include "common/wire/chunk.h"

#include <algorithm>
#include <cstring>

#include "common/wire/wire_type.h"

namespace conadv {
namespace {

constexpr uint32_t kHeaderField = 1;
constexpr uint32_t kOffsetField = 2;
constexpr uint32_t kPayloadField = 15;

// Bytes of the longest varint: protobuf reads tags and sizes, of 32 bits, from no more than five.
constexpr int kLongest64 = 10;
constexpr int kLongest32 = 5;

void AppendVarint(uint64_t value, std::string* out) {
  while (value >= 0x80) {
    out->push_back(static_cast<char>(value | 0x80));
    value >>= 7;
  }
  out->push_back(static_cast<char>(value));
}

void AppendTag(uint32_t field, WireType type, std::string* out) {
  AppendVarint(field << 3 | type, out);
}

// Reads forward through segments, as if they were one string.
class Reader {
 public:
  explicit Reader(absl::Span<const Segment> segments) : segments_(segments) {
    for (const Segment& segment : segments) left_ += segment.size();
    SkipEmpty();
  }

  size_t left() const { return left_; }

  bool ReadVarint(int longest, uint64_t* value) {
    *value = 0;
    for (int shift = 0; shift < 7 * longest; shift += 7) {
      if (left_ == 0) return false;
      const uint8_t byte = segments_[index_][position_];
      Advance(1);
      // The tenth byte has room for one bit; protobuf drops the others.
      *value |= static_cast<uint64_t>(byte & 0x7f) << shift;
      if (byte < 0x80) return true;
    }
    return false;
  }

  // Calls visit(piece) for the next `size` bytes. False if there are fewer.
  template <class Visitor>
  bool Visit(uint64_t size, Visitor visit) {
    if (size > left_) return false;
    while (size > 0) {
      const Segment piece = segments_[index_].subspan(position_, size);
      visit(piece);
      size -= piece.size();
      Advance(piece.size());
    }
    return true;
  }

  bool Skip(uint64_t size) {
    return Visit(size, [](Segment) {});
  }

 private:
  void Advance(size_t size) {
    left_ -= size;
    position_ += size;
    if (position_ == segments_[index_].size()) {
      ++index_;
      position_ = 0;
      SkipEmpty();
    }
  }
  void SkipEmpty() {
    while (index_ < segments_.size() && segments_[index_].empty()) ++index_;
  }

  const absl::Span<const Segment> segments_;
  size_t index_ = 0;
  size_t position_ = 0;
  size_t left_ = 0;
};

bool SkipField(uint32_t type, Reader* reader) {
  uint64_t number;
  switch (type) {
    case kVarint: return reader->ReadVarint(kLongest64, &number);
    case kFixed64: return reader->Skip(8);
    case kFixed32: return reader->Skip(4);
    case kBytes: return reader->ReadVarint(kLongest32, &number) && reader->Skip(number);
    default: return false;  // groups are not in these messages
  }
}

// Of a payload of bfloat16.
void ExpandPayload(const Chunk& chunk, float* destination) {
  // The lower half of a float is 0; a value may lie across two pieces.
  uint8_t low = 0;
  bool half = false;
  const auto put = [&destination](uint8_t first, uint8_t second) {
    const uint32_t bits = static_cast<uint32_t>(second) << 24 | static_cast<uint32_t>(first) << 16;
    std::memcpy(destination++, &bits, sizeof(bits));
  };
  for (const Segment& piece : chunk.payload) {
    size_t i = 0;
    if (half && !piece.empty()) put(low, piece[i++]);
    if (!piece.empty()) half = false;
    const size_t whole = i + (piece.size() - i) / 2 * 2;
    const uint8_t* const bytes = piece.data();
    for (size_t k = i; k < whole; k += 2) {
      const uint32_t bits =
          static_cast<uint32_t>(bytes[k + 1]) << 24 | static_cast<uint32_t>(bytes[k]) << 16;
      std::memcpy(destination + (k - i) / 2, &bits, sizeof(bits));
    }
    destination += (whole - i) / 2;
    if (whole < piece.size()) {
      low = piece[whole];
      half = true;
    }
  }
}

bool ReadHeader(Reader* reader, Chunk* chunk) {
  uint64_t size;
  if (!reader->ReadVarint(kLongest32, &size) || size > reader->left()) return false;
  chunk->has_header = true;
  return reader->Visit(size, [chunk](Segment piece) {
    chunk->header.append(reinterpret_cast<const char*>(piece.data()), piece.size());
  });
}

bool ReadPayload(Reader* reader, Chunk* chunk) {
  uint64_t size;
  if (!reader->ReadVarint(kLongest32, &size) || size > reader->left()) return false;
  chunk->payload.clear();
  chunk->payload_size = size;
  return reader->Visit(size, [chunk](Segment piece) { chunk->payload.push_back(piece); });
}

}  // namespace

std::string EncodeChunkPrefix(absl::string_view header, uint64_t offset, size_t payload_size) {
  std::string prefix;
  prefix.reserve(header.size() + 32);
  if (!header.empty()) {
    AppendTag(kHeaderField, kBytes, &prefix);
    AppendVarint(header.size(), &prefix);
    prefix.append(header.data(), header.size());
  }
  if (offset != 0) {
    AppendTag(kOffsetField, kVarint, &prefix);
    AppendVarint(offset, &prefix);
  }
  if (payload_size != 0) {
    AppendTag(kPayloadField, kBytes, &prefix);
    AppendVarint(payload_size, &prefix);
  }
  return prefix;
}

absl::StatusOr<Chunk> DecodeChunk(absl::Span<const Segment> segments) {
  Reader reader(segments);
  Chunk chunk;
  while (reader.left() > 0) {
    uint64_t bits;
    bool ok = reader.ReadVarint(kLongest32, &bits);
    // The fifth byte has room for four bits; protobuf drops the others.
    const auto tag = static_cast<uint32_t>(bits);
    const uint32_t field = tag >> 3;
    const uint32_t type = tag & 7;
    ok = ok && field != 0;
    if (ok && field == kHeaderField && type == kBytes) {
      ok = ReadHeader(&reader, &chunk);
    } else if (ok && field == kOffsetField && type == kVarint) {
      ok = reader.ReadVarint(kLongest64, &chunk.offset);
    } else if (ok && field == kPayloadField && type == kBytes) {
      ok = ReadPayload(&reader, &chunk);
    } else if (ok) {
      ok = SkipField(type, &reader);
    }
    if (!ok) return absl::InvalidArgumentError("chunk: not a valid protobuf message");
  }
  return chunk;
}

void CopyPayload(const Chunk& chunk, void* destination) {
  auto* next = static_cast<char*>(destination);
  for (const Segment& piece : chunk.payload) {
    std::memcpy(next, piece.data(), piece.size());
    next += piece.size();
  }
}

void ReadValues(const Chunk& chunk, ElementType type, float* destination) {
  if (type == ElementType::kBfloat16) return ExpandPayload(chunk, destination);
  CopyPayload(chunk, destination);
}

}  // namespace conadv
