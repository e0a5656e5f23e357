// SPDX-License-Identifier: Apache-2.0
#include "common/os/disk_space.h"

#include <sys/statvfs.h>

#include <cerrno>

#include "common/os/file.h"

namespace conadv {

absl::StatusOr<uint64_t> FreeBytes(const std::string& path) {
  struct statvfs disk {};
  if (::statvfs(path.c_str(), &disk) != 0) return FileError(errno, "look at the disk of", path);
  return static_cast<uint64_t>(disk.f_bavail) * disk.f_frsize;
}

}  // namespace conadv
