// SPDX-License-Identifier: Apache-2.0
// A tar file's header blocks, and the records of a pax header. Pure functions.
#ifndef CONADV_WORKER_DATA_ENCODED_TAR_HEADER_H_
#define CONADV_WORKER_DATA_ENCODED_TAR_HEADER_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace conadv {

constexpr size_t kTarBlock = 512;

struct TarHeader {
  std::string name;
  uint64_t size = 0;
  char type = '0';
};

// Two of them, all zeros, are the end of a file; readers stop at the first.
bool IsTarEnd(absl::string_view block);

// INVALID_ARGUMENT: a wrong checksum, or a size that is no number. REQUIRES: block.size() is
// kTarBlock.
absl::StatusOr<TarHeader> ParseTarHeader(absl::string_view block);

// What a pax header says instead of the header after it.
struct PaxOverride {
  std::optional<std::string> name;
  std::optional<uint64_t> size;
  bool sparse = false;
};

// INVALID_ARGUMENT: not "LENGTH key=value\n" again and again.
absl::StatusOr<PaxOverride> ParsePax(absl::string_view records);

}  // namespace conadv

#endif  // CONADV_WORKER_DATA_ENCODED_TAR_HEADER_H_
