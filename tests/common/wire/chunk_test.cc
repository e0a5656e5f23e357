// SPDX-License-Identifier: Apache-2.0
#include "common/wire/chunk.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "common/base/random.h"
#include "common/tensor/bfloat16.h"
#include "conadv/v1/parameter_server.pb.h"

namespace conadv {
namespace {

v1::PushRequest SomeRequest(bool with_header, uint64_t offset, size_t payload_size) {
  v1::PushRequest request;
  if (with_header) {
    request.mutable_header()->set_layout_hash(0x1234567890abcdef);
    request.mutable_header()->set_worker("worker-0");
    request.mutable_header()->mutable_contribution()->set_step(300);
  }
  request.set_offset(offset);
  std::string payload(payload_size, '\0');
  for (size_t i = 0; i < payload_size; ++i) payload[i] = static_cast<char>(i * 7);
  request.set_payload(payload);
  return request;
}

std::vector<Segment> Cut(const std::string& bytes, size_t piece) {
  std::vector<Segment> segments;
  for (size_t begin = 0; begin < bytes.size(); begin += piece) {
    segments.emplace_back(reinterpret_cast<const uint8_t*>(bytes.data()) + begin,
                          std::min(piece, bytes.size() - begin));
  }
  return segments;
}

std::string PayloadOf(const Chunk& chunk) {
  std::string payload(chunk.payload_size, '\0');
  CopyPayload(chunk, payload.data());
  return payload;
}

// The generated classes are the oracle.
TEST(Chunk, DecodesWhatGeneratedClassesEncodeHoweverItIsCut) {
  for (const bool with_header : {false, true}) {
    for (const uint64_t offset : {uint64_t{0}, uint64_t{1}, uint64_t{300}, UINT64_MAX}) {
      for (const size_t payload_size : {0, 1, 4, 127, 128, 5000}) {
        const v1::PushRequest request = SomeRequest(with_header, offset, payload_size);
        const std::string bytes = request.SerializeAsString();
        for (const size_t piece : {size_t{1}, size_t{3}, bytes.size() + 1}) {
          const absl::StatusOr<Chunk> chunk = DecodeChunk(Cut(bytes, piece));
          ASSERT_TRUE(chunk.ok()) << chunk.status();
          EXPECT_EQ(chunk->has_header, with_header);
          EXPECT_EQ(chunk->offset, offset);
          EXPECT_EQ(PayloadOf(*chunk), request.payload());
          if (with_header) {
            EXPECT_EQ(chunk->header, request.header().SerializeAsString());
          }
        }
      }
    }
  }
}

TEST(Chunk, EncodesWhatGeneratedClassesDecode) {
  for (const size_t payload_size : {0, 1, 200, 70000}) {
    const v1::PushRequest request = SomeRequest(true, 17, payload_size);
    const std::string bytes =
        EncodeChunkPrefix(request.header().SerializeAsString(), 17, payload_size) +
        request.payload();
    v1::PushRequest decoded;
    ASSERT_TRUE(decoded.ParseFromString(bytes));
    EXPECT_EQ(decoded.SerializeAsString(), request.SerializeAsString());
  }
}

TEST(Chunk, SkipsUnknownFieldsAndTakesTheLastOfRepeatedOnes) {
  v1::PushRequest first = SomeRequest(true, 1, 8);
  const v1::PushRequest second = SomeRequest(false, 2, 16);
  // Field 9: a varint; field 10: fixed64; field 11: bytes; field 12: fixed32.
  const std::string unknown(
      "\x48\x96\x01\x51"
      "12345678"
      "\x5a\x03"
      "abc"
      "\x65"
      "1234");
  const std::string bytes = first.SerializeAsString() + unknown + second.SerializeAsString();
  const absl::StatusOr<Chunk> chunk = DecodeChunk(Cut(bytes, 5));
  ASSERT_TRUE(chunk.ok()) << chunk.status();
  EXPECT_TRUE(chunk->has_header);
  EXPECT_EQ(chunk->offset, 2U);
  EXPECT_EQ(PayloadOf(*chunk), second.payload());
}

TEST(Chunk, EveryCutOffMessageIsRefusedOrShorter) {
  const std::string bytes = SomeRequest(true, 300, 50).SerializeAsString();
  for (size_t size = 0; size < bytes.size(); ++size) {
    const std::string cut = bytes.substr(0, size);
    v1::PushRequest oracle;
    EXPECT_EQ(DecodeChunk(Cut(cut, 7)).ok(), oracle.ParseFromString(cut)) << size;
  }
}

// A message without fields takes any valid encoding.
TEST(Chunk, TagsAndSizesOfAnyLengthAreReadAsProtobufReadsThem) {
  const std::string good = SomeRequest(true, 300, 8).SerializeAsString();
  int accepted = 0;
  for (const int length : {1, 4, 5, 6, 10, 11}) {
    for (const char last : {'\0', '\x07', '\x08', '\x7f'}) {
      // 9 is the tag of field 1 as fixed64, 0x12 that of field 2 as bytes.
      for (const char tag : {'\x09', '\x12'}) {
        std::string longer(1, static_cast<char>(length > 1 ? tag | 0x80 : tag));
        if (length > 1) longer += std::string(length - 2, '\x80') + last;
        const std::string as_tag = longer + std::string(9, '\0') + good;
        const std::string as_size = "\x4a" + longer + std::string(9, 'a') + good;
        for (const std::string& bytes : {as_tag, as_size}) {
          v1::DescribeRequest oracle;
          const bool valid = oracle.ParseFromString(bytes);
          EXPECT_EQ(DecodeChunk(Cut(bytes, 3)).ok(), valid)
              << length << " bytes, the last " << static_cast<int>(last);
          if (valid) ++accepted;
        }
      }
    }
  }
  EXPECT_GT(accepted, 0);
}

TEST(Chunk, NeverAcceptsBytesThatProtobufRefuses) {
  Random random(1, Purpose::kPermutation);
  int accepted = 0;
  for (int round = 0; round < 20000; ++round) {
    std::string bytes = SomeRequest(round % 2 == 0, 300, 20).SerializeAsString();
    for (int changes = 0; changes < 3; ++changes) {
      bytes[random.Below(bytes.size())] = static_cast<char>(random.Next32());
    }
    const absl::StatusOr<Chunk> chunk = DecodeChunk(Cut(bytes, 1 + random.Below(9)));
    if (!chunk.ok()) continue;
    ++accepted;
    EXPECT_LE(chunk->payload_size, bytes.size());
    EXPECT_EQ(PayloadOf(*chunk).size(), chunk->payload_size);
  }
  EXPECT_GT(accepted, 0);
}

TEST(Chunk, ExpandsBfloat16HoweverItIsCut) {
  std::vector<float> values(37);
  for (size_t i = 0; i < values.size(); ++i) values[i] = 0.5F * static_cast<float>(i) - 3;
  std::string packed(2 * values.size(), '\0');
  PackBfloat16(values, packed.data());
  for (const size_t piece : {size_t{1}, size_t{2}, size_t{3}, size_t{7}, packed.size()}) {
    Chunk chunk;
    chunk.payload = Cut(packed, piece);
    chunk.payload.insert(chunk.payload.begin() + 1, Segment());
    chunk.payload_size = packed.size();
    std::vector<float> expanded(values.size());
    ReadValues(chunk, ElementType::kBfloat16, expanded.data());
    EXPECT_EQ(expanded, values) << "in pieces of " << piece;
  }
}

}  // namespace
}  // namespace conadv
