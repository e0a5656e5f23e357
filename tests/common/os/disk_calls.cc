// SPDX-License-Identifier: Apache-2.0
#include "tests/common/os/disk_calls.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <mutex>
#include <system_error>
#include <utility>

namespace conadv {
namespace {

struct State {
  std::mutex mutex;
  std::vector<std::string> synced;
  DiskFaults faults;
};

State& TheState() {
  static State* const state = new State;
  return *state;
}

// Takes one of what is left.
bool Take(int DiskFaults::*count) {
  State& state = TheState();
  const std::lock_guard<std::mutex> lock(state.mutex);
  if (state.faults.*count == 0) return false;
  --(state.faults.*count);
  return true;
}

bool IsFile(int descriptor) {
  struct stat stat {};
  return ::fstat(descriptor, &stat) == 0 && S_ISREG(stat.st_mode);
}

int Rename(const char* from, const char* to, unsigned flags) {
  const auto result =
      static_cast<int>(::syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, flags));
  if (result != 0 || !Take(&DiskFaults::renames_without_reply)) return result;
  errno = ENOENT;
  return -1;
}

}  // namespace

void SetDiskFaults(const DiskFaults& faults) {
  const std::lock_guard<std::mutex> lock(TheState().mutex);
  TheState().faults = faults;
}

std::vector<std::string> TakeSynced() {
  const std::lock_guard<std::mutex> lock(TheState().mutex);
  return std::exchange(TheState().synced, {});
}

}  // namespace conadv

extern "C" int fsync(int descriptor) {
  std::error_code error;
  const auto path = std::filesystem::read_symlink(
      std::filesystem::path("/proc/self/fd") / std::to_string(descriptor), error);
  {
    const std::lock_guard<std::mutex> lock(conadv::TheState().mutex);
    conadv::TheState().synced.push_back(path.string());
    if (conadv::TheState().faults.fsync_error != 0) {
      errno = conadv::TheState().faults.fsync_error;
      return -1;
    }
  }
  return static_cast<int>(::syscall(SYS_fsync, descriptor));
}

extern "C" ssize_t read(int descriptor, void* bytes, size_t size) {
  if (conadv::IsFile(descriptor) && conadv::Take(&conadv::DiskFaults::stale_reads)) {
    errno = ESTALE;
    return -1;
  }
  return ::syscall(SYS_read, descriptor, bytes, size);
}

extern "C" int rename(const char* from, const char* to) noexcept {
  return conadv::Rename(from, to, 0);
}

extern "C" int renameat2(int, const char* from, int, const char* to, unsigned flags) noexcept {
  bool no_flags;
  {
    const std::lock_guard<std::mutex> lock(conadv::TheState().mutex);
    no_flags = conadv::TheState().faults.no_flags;
  }
  if (no_flags && flags != 0) {
    errno = EOPNOTSUPP;
    return -1;
  }
  return conadv::Rename(from, to, flags);
}
