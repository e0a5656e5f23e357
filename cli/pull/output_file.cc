// SPDX-License-Identifier: Apache-2.0
#include "cli/pull/output_file.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <system_error>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/base/clock.h"
#include "common/base/status_macros.h"
#include "common/os/file_descriptor.h"
#include "common/thread/wait.h"

namespace conadv {
namespace {

constexpr absl::Duration kLook = absl::Milliseconds(20);
// Of one look at whether there is room.
constexpr int64_t kMostMilliseconds = 60'000;

// The number of an open descriptor of ours that the path stands for, by whatever links:
// /dev/stdout, /dev/fd/3, /proc/self/fd/3. To open it anew would begin at the file's beginning.
std::optional<int> DescriptorOf(const std::string& path) {
  constexpr int kMostLinks = 40;
  std::error_code error;
  const std::filesystem::path own = std::filesystem::canonical("/proc/self/fd", error);
  if (error) return std::nullopt;
  std::filesystem::path at = path;
  for (int links = 0; links < kMostLinks; ++links) {
    const std::filesystem::path parent = at.parent_path();
    int number = 0;
    if (std::filesystem::canonical(parent.empty() ? "." : parent, error) == own &&
        absl::SimpleAtoi(at.filename().string(), &number)) {
      return number;
    }
    const std::filesystem::path next = std::filesystem::read_symlink(at, error);
    if (error) return std::nullopt;
    at = parent / next;
  }
  return std::nullopt;
}

bool IsStandardOutput(const struct stat& stat) {
  struct stat out {};
  return ::fstat(STDOUT_FILENO, &out) == 0 && out.st_dev == stat.st_dev &&
         out.st_ino == stat.st_ino;
}

absl::Status RefuseTerminal(const std::string& path) {
  return absl::InvalidArgumentError(
      absl::StrCat(path, " is a terminal, which is no place for weights; name a file or a pipe"));
}

// No more at once than a pipe that says it has room takes without blocking.
absl::Status WriteAll(int descriptor, absl::string_view bytes, const std::string& path,
                      absl::Time until) {
  while (!bytes.empty()) {
    const absl::Duration left = until - Clock::Real().Now();
    pollfd room{descriptor, POLLOUT, 0};
    const int64_t wait = std::clamp<int64_t>(absl::ToInt64Milliseconds(left), 0, kMostMilliseconds);
    const int ready = ::poll(&room, 1, static_cast<int>(wait));
    if (ready < 0 && errno == EINTR) continue;
    if (ready == 0) {
      if (wait == kMostMilliseconds) continue;
      return absl::DeadlineExceededError(
          absl::StrCat("whoever reads ", path, " takes nothing any more: ", bytes.size(),
                       " bytes were left when the time was up; --timeout=SECONDS waits longer"));
    }
    const ssize_t written =
        ::write(descriptor, bytes.data(), std::min<size_t>(bytes.size(), PIPE_BUF));
    if (written < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (written < 0) return FileError(errno, "write", path);
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return absl::OkStatus();
}

// A pipe can be opened once somebody reads it.
absl::StatusOr<FileDescriptor> OpenPipe(const std::string& path, absl::Duration timeout,
                                        absl::Time until, std::ostream& notes) {
  bool told = false;
  while (true) {
    FileDescriptor pipe(::open(path.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC));
    if (pipe.open()) return pipe;
    if (errno != ENXIO) return FileError(errno, "open", path);
    if (Clock::Real().Now() >= until) {
      return absl::DeadlineExceededError(absl::StrCat("nobody has read the pipe ", path, " within ",
                                                      absl::FormatDuration(timeout)));
    }
    if (!told) notes << "waiting for somebody to read " << path << "\n" << std::flush;
    told = true;
    WaitFor(kLook, [] { return false; });
  }
}

}  // namespace

absl::StatusOr<OutputFile> OutputFile::At(const std::string& path) {
  struct stat stat {};
  if (const std::optional<int> descriptor = DescriptorOf(path); descriptor.has_value()) {
    OutputFile output(path, Kind::kOpen);
    output.descriptor_ = *descriptor;
    if (::fstat(*descriptor, &stat) != 0) return FileError(errno, "write", path);
    if (::isatty(*descriptor) != 0) return RefuseTerminal(path);
    output.is_standard_output_ = IsStandardOutput(stat);
    return output;
  }
  if (::stat(path.c_str(), &stat) != 0) {
    if (errno != ENOENT) return FileError(errno, "write", path);
    if (path.back() == '/') return FileError(EISDIR, "write", path);
    std::error_code error;
    const std::filesystem::path parent = std::filesystem::path(path).parent_path();
    if (!parent.empty() && !std::filesystem::is_directory(parent, error)) {
      return absl::NotFoundError(absl::StrCat("cannot write ", path, ": there is no directory ",
                                              parent.string(), "; make it, or choose another"));
    }
    return OutputFile(path, Kind::kFile);
  }
  if (S_ISDIR(stat.st_mode)) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, " is a directory; name a file in it, as ",
                     (std::filesystem::path(path) / "weights.safetensors").string()));
  }
  OutputFile output(path, S_ISREG(stat.st_mode)    ? Kind::kFile
                          : S_ISFIFO(stat.st_mode) ? Kind::kPipe
                                                   : Kind::kOther);
  output.is_standard_output_ = IsStandardOutput(stat);
  return output;
}

absl::Status OutputFile::Write(absl::string_view bytes, const FileSystem& files,
                               absl::Duration timeout, std::ostream& notes) const {
  const absl::Time until = Clock::Real().Now() + timeout;
  switch (kind_) {
    case Kind::kFile: return files.WriteAtomically(path_, bytes);
    case Kind::kPipe: {
      CONADV_ASSIGN_OR_RETURN(const FileDescriptor pipe, OpenPipe(path_, timeout, until, notes));
      return WriteAll(pipe.get(), bytes, path_, until);
    }
    case Kind::kOther: {
      const FileDescriptor device(::open(path_.c_str(), O_WRONLY | O_NOCTTY | O_CLOEXEC));
      if (!device.open()) return FileError(errno, "open", path_);
      if (::isatty(device.get()) != 0) return RefuseTerminal(path_);
      return WriteAll(device.get(), bytes, path_, until);
    }
    case Kind::kOpen: return WriteAll(descriptor_, bytes, path_, until);
  }
  return absl::OkStatus();
}

}  // namespace conadv
