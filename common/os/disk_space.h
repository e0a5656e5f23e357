// SPDX-License-Identifier: Apache-2.0
// How much room a disk has. Thread-safe; may take as long as the disk does to answer.
#ifndef CONADV_COMMON_OS_DISK_SPACE_H_
#define CONADV_COMMON_OS_DISK_SPACE_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"

namespace conadv {

// Bytes that this user may still write on the disk of `path`, which exists. What a quota or a
// network's disk leaves unsaid is not known to it.
absl::StatusOr<uint64_t> FreeBytes(const std::string& path);

}  // namespace conadv

#endif  // CONADV_COMMON_OS_DISK_SPACE_H_
