// SPDX-License-Identifier: Apache-2.0
#include "common/os/network_disk.h"

#include <fcntl.h>
#include <glog/logging.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <optional>

namespace conadv {
namespace {

struct Identity {
  dev_t device;
  ino_t inode;
  friend bool operator==(const Identity& a, const Identity& b) {
    return a.device == b.device && a.inode == b.inode;
  }
};

std::optional<Identity> IdentityOf(const std::string& path) {
  struct stat stat {};
  if (::lstat(path.c_str(), &stat) != 0) return std::nullopt;
  return Identity{stat.st_dev, stat.st_ino};
}

// A server that renamed and whose answer was lost is asked again, and finds nothing at the old
// name. `before`: what was there.
int AsDone(int error, const std::optional<Identity>& before, const std::string& from,
           const std::string& to) {
  const bool lost = error == ENOENT && before.has_value() && !IdentityOf(from).has_value() &&
                    IdentityOf(to) == before;
  return lost ? 0 : error;
}

}  // namespace

bool IsUnsupported(int error) { return error == EINVAL || error == ENOSYS || error == EOPNOTSUPP; }

int Sync(int descriptor, const std::string& path) {
  if (::fsync(descriptor) == 0) return 0;
  if (!IsUnsupported(errno)) return errno;
  static std::atomic<bool> told{false};
  if (!told.exchange(true)) {
    LOG(WARNING) << path << ": its file system cannot be told to keep what it has (fsync): after a "
                 << "power loss there the newest files may be missing or cut";
  }
  return 0;
}

int RenameOver(const std::string& from, const std::string& to) {
  const std::optional<Identity> before = IdentityOf(from);
  if (::rename(from.c_str(), to.c_str()) == 0) return 0;
  return AsDone(errno, before, from, to);
}

int RenameToNothing(const std::string& from, const std::string& to) {
  if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return 0;
  if (!IsUnsupported(errno)) return errno;
  // A file system that cannot do both at once (or a directory that is to go into itself).
  if (IdentityOf(to).has_value()) return EEXIST;
  return RenameOver(from, to);
}

}  // namespace conadv
