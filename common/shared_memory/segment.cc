// SPDX-License-Identifier: Apache-2.0
#include "common/shared_memory/segment.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <linux/mman.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"

namespace conadv {
namespace {

// Newer than some of the headers that this is compiled with.
constexpr unsigned kNoExec = 0x0008U;     // MFD_NOEXEC_SEAL, Linux 6.3
constexpr int kSealFutureWrite = 0x0010;  // F_SEAL_FUTURE_WRITE, Linux 5.1
constexpr int kPopulateWrite = 23;        // MADV_POPULATE_WRITE, Linux 5.14
constexpr int kPeersSeals = F_SEAL_SHRINK | F_SEAL_GROW;
// Huge pages where the system gives them to who asks: of less than this too much of the last one
// would be idle.
constexpr size_t kHugeBytes = size_t{16} << 20;

absl::Status SegmentError(const char* what) {
  return absl::UnavailableError(absl::StrCat(what, ": ", std::strerror(errno)));
}

absl::StatusOr<FileDescriptor> NewFile() {
  FileDescriptor file(memfd_create("conadv", MFD_CLOEXEC | MFD_ALLOW_SEALING | kNoExec));
  if (!file.open() && errno == EINVAL) {
    file = FileDescriptor(memfd_create("conadv", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  }
  if (!file.open()) return SegmentError("memfd_create");
  return file;
}

// A page that cannot be had is an error here; of a file that is mapped it would be a signal later.
absl::Status Populate(const FileDescriptor& file, void* data, size_t bytes) {
  if (bytes >= kHugeBytes) madvise(data, bytes, MADV_HUGEPAGE);
  if (madvise(data, bytes, kPopulateWrite) == 0) return absl::OkStatus();
  if (errno != EINVAL) return SegmentError("a shared segment's pages");
  const int error = posix_fallocate(file.get(), 0, static_cast<off_t>(bytes));
  if (error == 0) return absl::OkStatus();
  errno = error;
  return SegmentError("a shared segment's pages");
}

}  // namespace

size_t SegmentBytes(size_t bytes) {
  static const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  return (std::max<size_t>(bytes, 1) + page - 1) / page * page;
}

MappedPages::~MappedPages() {
  if (data_ != nullptr) munmap(data_, bytes_);
}

absl::StatusOr<std::unique_ptr<SharedSegment>> SharedSegment::Create(size_t bytes) {
  const size_t size = SegmentBytes(bytes);
  CONADV_ASSIGN_OR_RETURN(FileDescriptor file, NewFile());
  if (ftruncate(file.get(), static_cast<off_t>(size)) != 0) return SegmentError("ftruncate");
  void* data = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0);
  if (data == MAP_FAILED) return SegmentError("mmap");
  MappedPages pages(data, size);
  CONADV_RETURN_IF_ERROR(Populate(file, data, size));
  if (fcntl(file.get(), F_ADD_SEALS, kPeersSeals | kSealFutureWrite | F_SEAL_SEAL) != 0) {
    return SegmentError("F_ADD_SEALS");
  }
  return std::unique_ptr<SharedSegment>(new SharedSegment(std::move(file), std::move(pages)));
}

absl::StatusOr<std::unique_ptr<const PeerSegment>> PeerSegment::Open(const FileDescriptor& file,
                                                                     size_t bytes) {
  // First of all: whatever is no memfd has no seals, and is asked nothing that might block.
  const int seals = fcntl(file.get(), F_GET_SEALS);
  if (seals < 0) return absl::InvalidArgumentError("segment: the file that came is no memfd");
  if ((seals & kPeersSeals) != kPeersSeals) {
    return absl::InvalidArgumentError("segment: it is not sealed: its size may change");
  }
  // Pages of another kind may not be there when they are read.
  struct statfs system {};
  if (fstatfs(file.get(), &system) != 0 || system.f_type != TMPFS_MAGIC) {
    return absl::InvalidArgumentError("segment: it is not of ordinary pages");
  }
  struct stat status {};
  if (fstat(file.get(), &status) != 0 || status.st_size != static_cast<off_t>(bytes)) {
    return absl::InvalidArgumentError(
        absl::StrCat("segment: its file has ", status.st_size, " bytes, expected ", bytes));
  }
  if (bytes == 0) return absl::InvalidArgumentError("segment: it is empty");
  void* data = mmap(nullptr, bytes, PROT_READ, MAP_SHARED, file.get(), 0);
  if (data == MAP_FAILED) {
    return absl::ResourceExhaustedError(
        absl::StrCat("a segment of ", bytes, " bytes cannot be mapped: ", std::strerror(errno)));
  }
  return std::unique_ptr<const PeerSegment>(new PeerSegment(MappedPages(data, bytes)));
}

}  // namespace conadv
