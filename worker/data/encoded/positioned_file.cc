// SPDX-License-Identifier: Apache-2.0
#include "worker/data/encoded/positioned_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/printable.h"
#include "common/os/file.h"

namespace conadv {
namespace {

class OpenedFile final : public PositionedFile {
 public:
  OpenedFile(int descriptor, uint64_t size, std::string path)
      : descriptor_(descriptor), size_(size), path_(std::move(path)) {}
  ~OpenedFile() override { close(descriptor_); }
  OpenedFile(const OpenedFile&) = delete;
  OpenedFile& operator=(const OpenedFile&) = delete;

  uint64_t size() const override { return size_; }

  absl::Status ReadAt(uint64_t offset, absl::Span<char> out) const override {
    size_t filled = 0;
    while (filled < out.size()) {
      const ssize_t taken = pread(descriptor_, out.data() + filled, out.size() - filled,
                                  static_cast<off_t>(offset + filled));
      if (taken < 0 && errno == EINTR) continue;
      if (taken < 0) return FileError(errno, "read", Printable(path_));
      if (taken == 0) {
        return absl::DataLossError(absl::StrCat(Printable(path_), ": it ends before byte ",
                                                offset + out.size(),
                                                "; is it still being written?"));
      }
      filled += static_cast<size_t>(taken);
    }
    return absl::OkStatus();
  }

 private:
  const int descriptor_;
  const uint64_t size_;
  const std::string path_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<PositionedFile>> PositionedFile::Open(const std::string& path) {
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return FileError(errno, "open", Printable(path));
  struct stat about {};
  if (fstat(descriptor, &about) != 0) {
    const int error = errno;
    close(descriptor);
    return FileError(error, "look at", Printable(path));
  }
  return std::make_unique<OpenedFile>(descriptor, static_cast<uint64_t>(about.st_size), path);
}

}  // namespace conadv
