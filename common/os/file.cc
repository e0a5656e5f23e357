// SPDX-License-Identifier: Apache-2.0
#include "common/os/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "common/os/network_disk.h"

namespace conadv {
namespace {

absl::string_view Advice(int error) {
  switch (error) {
    case ENOENT: return "check the path";
    case EACCES:
    case EPERM:
    case EROFS: return "give this user access, or choose another path";
    case EFBIG: return "raise the limit of file sizes (ulimit -f), or choose another path";
    case ENOSPC:
    case EDQUOT: return "free space on that disk, or choose another path";
    case ENOTDIR: return "a part of the path is a file where a directory must be";
    case EISDIR: return "a directory is where a file must be";
    case EEXIST:
    case ENOTEMPTY: return "move that away, or choose another path";
    case EXDEV: return "choose a path on the same disk";
    case ELOOP: return "a link leads back to itself; choose another path";
    case ENAMETOOLONG: return "choose a shorter path";
    case ESTALE: return "the network disk has lost it; look at its server, or mount it anew";
    case ENOSYS:
    case EOPNOTSUPP: return "that file system cannot do this; choose a path on another";
    case EPIPE: return "whoever read it is gone";
    case ENXIO: return "nobody reads there";
    case EMFILE:
    case ENFILE: return "raise the limit of open files (ulimit -n)";
    default: return "check that disk and its logs";
  }
}

class Descriptor {
 public:
  Descriptor(const std::string& path, int flags)
      : value_(::open(path.c_str(), flags | O_CLOEXEC, 0666)) {}
  ~Descriptor() {
    if (value_ >= 0) ::close(value_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  bool ok() const { return value_ >= 0; }
  int get() const { return value_; }
  // Some file systems tell of a failed write only here.
  bool Close() { return ::close(std::exchange(value_, -1)) == 0; }

 private:
  int value_;
};

// The directory that has the entry of `path`, also of "a/b/".
std::string ParentOf(const std::string& path) {
  const size_t end = path.find_last_not_of('/');
  if (end == std::string::npos) return path.empty() ? "." : "/";
  const std::string parent = std::filesystem::path(path.substr(0, end + 1)).parent_path().string();
  return parent.empty() ? "." : parent;
}

// Makes what was created, renamed or removed in a directory durable.
absl::Status SyncDirectory(const std::string& path) {
  Descriptor directory(path, O_RDONLY | O_DIRECTORY);
  if (!directory.ok()) return FileError(errno, "open", path);
  const int error = Sync(directory.get(), path);
  return error == 0 ? absl::OkStatus() : FileError(error, "sync", path);
}

// 0, or the error. `size` is a hint: what is read counts.
int ReadAll(const Descriptor& file, size_t size, std::string* bytes) {
  // One more, so that the end is seen without growing.
  bytes->assign(size + 1, '\0');
  size = 0;
  while (true) {
    if (size == bytes->size()) bytes->resize(2 * bytes->size());
    const ssize_t read = ::read(file.get(), bytes->data() + size, bytes->size() - size);
    if (read < 0 && errno == EINTR) continue;
    if (read < 0) return errno;
    if (read == 0) break;
    size += static_cast<size_t>(read);
  }
  bytes->resize(size);
  return 0;
}

absl::Status WriteAll(const Descriptor& file, absl::string_view bytes, const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(file.get(), bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return FileError(errno, "write", path);
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return absl::OkStatus();
}

// What `path` leads to, by however many links, and be it nothing yet.
absl::StatusOr<std::string> TargetOf(const std::string& path) {
  constexpr int kMostLinks = 40;
  std::filesystem::path target = path;
  for (int links = 0; links < kMostLinks; ++links) {
    std::error_code error;
    if (!std::filesystem::is_symlink(target, error)) return target.string();
    const std::filesystem::path next = std::filesystem::read_symlink(target, error);
    if (error) return FileError(error.value(), "follow", target.string());
    target = target.parent_path() / next;
  }
  return FileError(ELOOP, "follow", path);
}

// `path` is what people know, `temporary` what is written.
absl::Status WriteAndSync(const std::string& path, const std::string& temporary,
                          const std::vector<absl::string_view>& pieces) {
  Descriptor file(temporary, O_WRONLY | O_CREAT | O_EXCL);
  if (!file.ok()) return FileError(errno, "create", path);
  for (absl::string_view bytes : pieces) {
    CONADV_RETURN_IF_ERROR(WriteAll(file, bytes, path));
  }
  if (const int error = Sync(file.get(), path); error != 0) return FileError(error, "sync", path);
  if (!file.Close()) return FileError(errno, "close", path);
  return absl::OkStatus();
}

// Beside `path`; no two writers share it, be they threads or processes.
std::string TemporaryName(const std::string& path) {
  static std::atomic<uint64_t> count{0};
  return absl::StrCat(path, ".tmp.", ::getpid(), ".", count.fetch_add(1));
}

// Of a disk beyond a network: another machine has put another file in this one's place meanwhile.
// What is opened anew is that one. Then once more, should it happen again.
constexpr int kTriesOfStale = 3;

class RealFileSystem final : public FileSystem {
 public:
  absl::StatusOr<std::string> Read(const std::string& path) const override {
    std::string bytes;
    int error = ESTALE;
    for (int tries = 0; error == ESTALE && tries < kTriesOfStale; ++tries) {
      // Not blocking: opening a pipe without a writer would wait for one.
      Descriptor file(path, O_RDONLY | O_NONBLOCK);
      if (!file.ok()) return FileError(errno, "open", path);
      struct stat stat {};
      if (::fstat(file.get(), &stat) != 0) return FileError(errno, "read", path);
      if (S_ISDIR(stat.st_mode)) return FileError(EISDIR, "read", path);
      if (!S_ISREG(stat.st_mode)) {
        return absl::InvalidArgumentError(absl::StrCat("cannot read ", path, ": it is not a file"));
      }
      error = ReadAll(file, static_cast<size_t>(stat.st_size), &bytes);
    }
    if (error != 0) return FileError(error, "read", path);
    return bytes;
  }

  absl::StatusOr<uint64_t> Size(const std::string& path) const override {
    struct stat stat {};
    if (::stat(path.c_str(), &stat) != 0) return FileError(errno, "look at", path);
    if (!S_ISREG(stat.st_mode)) return FileError(EISDIR, "take the size of", path);
    return static_cast<uint64_t>(stat.st_size);
  }

  absl::Status WritePieces(const std::string& path,
                           const std::vector<absl::string_view>& pieces) const override {
    CONADV_ASSIGN_OR_RETURN(const std::string target, TargetOf(path));
    struct stat stat {};
    if (::stat(target.c_str(), &stat) == 0 && !S_ISREG(stat.st_mode)) {
      if (S_ISDIR(stat.st_mode)) return FileError(EISDIR, "write", path);
      return absl::InvalidArgumentError(
          absl::StrCat("cannot write ", path,
                       ": a device or a pipe is where a file must be; choose another "
                       "path"));
    }
    const std::string temporary = TemporaryName(target);
    absl::Status status = WriteAndSync(path, temporary, pieces);
    if (status.ok()) {
      const int error = RenameOver(temporary, target);
      if (error != 0) status = FileError(error, "replace", path);
    }
    if (!status.ok()) {
      ::unlink(temporary.c_str());
      return status;
    }
    return SyncDirectory(ParentOf(target));
  }

  absl::Status WriteFrom(const std::string& path, uint64_t offset,
                         absl::string_view bytes) const override {
    Descriptor file(path, offset == 0 ? O_WRONLY | O_CREAT : O_WRONLY);
    if (!file.ok()) return FileError(errno, "open", path);
    struct stat stat {};
    if (::fstat(file.get(), &stat) != 0) return FileError(errno, "look at", path);
    if (static_cast<uint64_t>(stat.st_size) < offset) {
      return absl::DataLossError(absl::StrCat(path, " is shorter than what was written to it: ",
                                              stat.st_size, " of ", offset, " bytes are left"));
    }
    const auto end = static_cast<off_t>(offset);
    // Where nothing is to be cut nothing is: some disks only let files grow.
    const bool cut = static_cast<uint64_t>(stat.st_size) > offset;
    if ((cut && ::ftruncate(file.get(), end) != 0) || ::lseek(file.get(), end, SEEK_SET) < 0) {
      return FileError(errno, "write", path);
    }
    absl::Status status = WriteAll(file, bytes, path);
    // The half that was written is of no use to anyone; if it stays, the next call removes it.
    if (!status.ok() && ::ftruncate(file.get(), end) != 0) return status;
    if (status.ok() && !file.Close()) status = FileError(errno, "close", path);
    return status;
  }

  absl::Status MakeDirectories(const std::string& path) const override {
    if (::mkdir(path.c_str(), 0777) == 0) return SyncDirectory(ParentOf(path));
    const int error = errno;
    struct stat stat {};
    if (error == EEXIST) {
      const bool directory = ::stat(path.c_str(), &stat) == 0 && S_ISDIR(stat.st_mode);
      return directory ? absl::OkStatus() : FileError(ENOTDIR, "make directory", path);
    }
    const std::string parent = ParentOf(path);
    if (error != ENOENT || parent == path) return FileError(error, "make directory", path);
    CONADV_RETURN_IF_ERROR(MakeDirectories(parent));
    // Another process may have been faster.
    if (::mkdir(path.c_str(), 0777) != 0 && errno != EEXIST) {
      return FileError(errno, "make directory", path);
    }
    return SyncDirectory(parent);
  }

  absl::StatusOr<std::vector<std::string>> List(const std::string& path) const override {
    std::error_code error;
    std::filesystem::directory_iterator entries(path, error);
    std::vector<std::string> names;
    while (!error && entries != std::filesystem::directory_iterator()) {
      names.push_back(entries->path().filename().string());
      entries.increment(error);
    }
    if (error) return FileError(error.value(), "list", path);
    std::sort(names.begin(), names.end());
    return names;
  }

  absl::Status Remove(const std::string& path) const override {
    std::error_code error;
    const uintmax_t removed = std::filesystem::remove_all(path, error);
    if (error && error.value() != ENOENT) return FileError(error.value(), "remove", path);
    if (removed == 0) return absl::OkStatus();
    const absl::Status synced = SyncDirectory(ParentOf(path));
    // Someone else removed the directory too: with it went what was in it.
    return absl::IsNotFound(synced) ? absl::OkStatus() : synced;
  }

  absl::Status RemoveIfEmpty(const std::string& path) const override {
    if (::rmdir(path.c_str()) == 0) return SyncDirectory(ParentOf(path));
    if (errno == ENOENT || errno == ENOTEMPTY || errno == EEXIST) return absl::OkStatus();
    return FileError(errno, "remove", path);
  }

  absl::Status Rename(const std::string& from, const std::string& to) const override {
    const int error = RenameToNothing(from, to);
    if (error != 0) return FileError(error, "rename", absl::StrCat(from, " to ", to));
    CONADV_RETURN_IF_ERROR(SyncDirectory(ParentOf(to)));
    if (ParentOf(from) == ParentOf(to)) return absl::OkStatus();
    return SyncDirectory(ParentOf(from));
  }

  bool Exists(const std::string& path) const override { return ::access(path.c_str(), F_OK) == 0; }
};

}  // namespace

absl::Status FileError(int error, absl::string_view doing, const std::string& path) {
  return absl::Status(absl::ErrnoToStatusCode(error),
                      absl::StrCat("cannot ", doing, " ", path, ": ",
                                   std::generic_category().message(error), "; ", Advice(error)));
}

const FileSystem& FileSystem::Real() {
  static const RealFileSystem file_system;
  return file_system;
}

}  // namespace conadv
