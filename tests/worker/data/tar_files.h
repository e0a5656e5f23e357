// SPDX-License-Identifier: Apache-2.0
// Tar files made for a test. Pure functions.
#ifndef CONADV_TESTS_WORKER_DATA_TAR_FILES_H_
#define CONADV_TESTS_WORKER_DATA_TAR_FILES_H_

#include <cstdint>
#include <cstdio>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace conadv {

// A header block with a right checksum; `prefix` goes before the name, in ustar's way.
inline std::string TarHeaderBlock(absl::string_view name, uint64_t size, char type = '0',
                                  absl::string_view prefix = "") {
  std::string block(512, '\0');
  block.replace(0, name.size(), name.data(), name.size());
  block.replace(124, 11, std::string(11, '0'));
  for (int i = 134; size > 0; --i, size /= 8) {
    block[static_cast<size_t>(i)] = static_cast<char>('0' + size % 8);
  }
  block[156] = type;
  block.replace(257, 6, "ustar\0", 6);
  block.replace(263, 2, "00");
  block.replace(345, prefix.size(), prefix.data(), prefix.size());
  block.replace(148, 8, "        ");
  unsigned sum = 0;
  for (const char byte : block) sum += static_cast<unsigned char>(byte);
  char digits[8];
  std::snprintf(digits, sizeof(digits), "%06o", sum);
  block.replace(148, 7, digits, 7);
  return block;
}

// A header, the bytes, and zeros up to the end of their last block.
inline std::string TarMemberBytes(absl::string_view name, absl::string_view bytes, char type = '0',
                                  absl::string_view prefix = "") {
  std::string member = TarHeaderBlock(name, bytes.size(), type, prefix);
  absl::StrAppend(&member, bytes);
  member.resize((member.size() + 511) / 512 * 512);
  return member;
}

inline std::string TarEnd() { return std::string(1024, '\0'); }

// "LENGTH key=value\n", whose length counts its own digits.
inline std::string PaxRecord(absl::string_view key, absl::string_view value) {
  const std::string rest = absl::StrCat(" ", key, "=", value, "\n");
  size_t length = rest.size() + 1;
  while (absl::StrCat(length).size() + rest.size() != length) ++length;
  return absl::StrCat(length, rest);
}

}  // namespace conadv

#endif  // CONADV_TESTS_WORKER_DATA_TAR_FILES_H_
