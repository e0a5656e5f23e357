// SPDX-License-Identifier: Apache-2.0
#include "worker/data/encoded/tar_header.h"

#include <algorithm>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"

namespace conadv {
namespace {

// Where fields lie in a header, and how long they are.
struct Field {
  size_t at;
  size_t length;
};
constexpr Field kName{0, 100}, kSize{124, 12}, kChecksum{148, 8}, kMagic{257, 6}, kPrefix{345, 155};
constexpr size_t kType = 156;

absl::string_view Bytes(absl::string_view block, Field field) {
  return block.substr(field.at, field.length);
}

// Up to its first zero byte.
absl::string_view Text(absl::string_view block, Field field) {
  const absl::string_view bytes = Bytes(block, field);
  return bytes.substr(0, std::min(bytes.size(), bytes.find('\0')));
}

// Octal digits between blanks; or, with the first bit set, a big-endian number as GNU writes it.
std::optional<uint64_t> Number(absl::string_view bytes) {
  uint64_t number = 0;
  if ((static_cast<uint8_t>(bytes[0]) & 0x80) != 0) {
    if (static_cast<uint8_t>(bytes[0]) != 0x80) return std::nullopt;  // negative, or past 2^88
    for (const char byte : bytes.substr(1)) {
      if (number >> 56 != 0) return std::nullopt;
      number = number << 8 | static_cast<uint8_t>(byte);
    }
    return number;
  }
  while (!bytes.empty() && bytes.front() == ' ') bytes.remove_prefix(1);
  while (!bytes.empty() && (bytes.back() == ' ' || bytes.back() == '\0')) bytes.remove_suffix(1);
  for (const char digit : bytes) {  // 12 digits at most: no overflow
    if (digit < '0' || digit > '7') return std::nullopt;
    number = number * 8 + static_cast<uint64_t>(digit - '0');
  }
  return number;
}

// The sum of all bytes, where those of the checksum itself count as blanks.
uint64_t SumOf(absl::string_view block) {
  uint64_t sum = 0;
  for (size_t i = 0; i < block.size(); ++i) {
    const bool own = i >= kChecksum.at && i < kChecksum.at + kChecksum.length;
    sum += own ? ' ' : static_cast<uint8_t>(block[i]);
  }
  return sum;
}

absl::Status Broken(absl::string_view why) { return absl::InvalidArgumentError(why); }

}  // namespace

bool IsTarEnd(absl::string_view block) {
  return std::all_of(block.begin(), block.end(), [](char byte) { return byte == '\0'; });
}

absl::StatusOr<TarHeader> ParseTarHeader(absl::string_view block) {
  if (Number(Bytes(block, kChecksum)) != SumOf(block)) {
    return Broken("no tar header, or its checksum is wrong");
  }
  const std::optional<uint64_t> size = Number(Bytes(block, kSize));
  if (!size.has_value()) return Broken("a member's size is no number");
  TarHeader header{std::string(Text(block, kName)), *size, block[kType]};
  // GNU's magic ends in a blank, and it has other things in the prefix's place.
  if (Bytes(block, kMagic) == absl::string_view("ustar\0", 6)) {
    const absl::string_view prefix = Text(block, kPrefix);
    if (!prefix.empty()) header.name = absl::StrCat(prefix, "/", header.name);
  }
  return header;
}

absl::StatusOr<PaxOverride> ParsePax(absl::string_view records) {
  PaxOverride pax;
  while (!records.empty()) {
    const size_t blank = records.find(' ');
    uint64_t length = 0;  // of the whole record, its own digits too
    if (blank == absl::string_view::npos || !absl::SimpleAtoi(records.substr(0, blank), &length) ||
        length < blank + 2 || length > records.size() || records[length - 1] != '\n') {
      return Broken("a record of a pax header is broken");
    }
    const absl::string_view record = records.substr(blank + 1, length - blank - 2);
    records.remove_prefix(length);
    const size_t equals = record.find('=');
    if (equals == absl::string_view::npos) return Broken("a record of a pax header has no value");
    const absl::string_view key = record.substr(0, equals), value = record.substr(equals + 1);
    uint64_t size = 0;
    if (key == "path") {
      pax.name = std::string(value);
    } else if (key == "size") {
      if (!absl::SimpleAtoi(value, &size)) return Broken("a pax header's size is no number");
      pax.size = size;
    } else if (absl::StartsWith(key, "GNU.sparse.")) {
      pax.sparse = true;
    }
  }
  return pax;
}

}  // namespace conadv
