// SPDX-License-Identifier: Apache-2.0
#include "common/base/printable.h"

#include <cstdint>

#include "absl/strings/str_cat.h"

namespace conadv {
namespace {

uint8_t ByteAt(absl::string_view bytes, size_t i) { return static_cast<uint8_t>(bytes[i]); }

// Bytes of the printable character that `bytes` begins with, or 0 if that is none. The table of RFC
// 3629, section 4: the second byte's range keeps out overlong forms, surrogates and what lies past
// U+10FFFF. REQUIRES: not empty.
size_t CharacterSize(absl::string_view bytes) {
  const uint8_t lead = ByteAt(bytes, 0);
  if (lead < 0x80) return lead < 0x20 || lead == 0x7f ? 0 : 1;
  if (lead < 0xc2 || lead > 0xf4) return 0;
  const size_t size = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  if (bytes.size() < size) return 0;
  const uint8_t least = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
  const uint8_t most = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
  if (ByteAt(bytes, 1) < least || ByteAt(bytes, 1) > most) return 0;
  for (size_t i = 2; i < size; ++i) {
    if ((ByteAt(bytes, i) & 0xc0) != 0x80) return 0;
  }
  return size;
}

std::string Escaped(char c) {
  switch (c) {
    case '\n': return "\\n";
    case '\r': return "\\r";
    case '\t': return "\\t";
    default: return absl::StrCat("\\x", absl::Hex(static_cast<uint8_t>(c), absl::kZeroPad2));
  }
}

}  // namespace

bool IsPrintable(absl::string_view bytes) {
  while (!bytes.empty()) {
    const size_t size = CharacterSize(bytes);
    if (size == 0) return false;
    bytes.remove_prefix(size);
  }
  return true;
}

std::string Printable(absl::string_view bytes) {
  std::string text;
  while (!bytes.empty()) {
    const size_t size = CharacterSize(bytes);
    if (size == 0) {
      text += Escaped(bytes[0]);
    } else {
      text.append(bytes.data(), size);
    }
    bytes.remove_prefix(size == 0 ? 1 : size);
  }
  return text;
}

}  // namespace conadv
