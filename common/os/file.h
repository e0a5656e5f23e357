// SPDX-License-Identifier: Apache-2.0
// The door to the disk, so that tests can make it fail. Thread-safe.
#ifndef CONADV_COMMON_OS_FILE_H_
#define CONADV_COMMON_OS_FILE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace conadv {

// "cannot <doing> <path>: ", what `error`, an errno, means, and what to do about it.
absl::Status FileError(int error, absl::string_view doing, const std::string& path);

class FileSystem {
 public:
  virtual ~FileSystem() = default;

  // The whole file. NOT_FOUND, PERMISSION_DENIED, … name the path.
  virtual absl::StatusOr<std::string> Read(const std::string& path) const = 0;
  // Bytes of a file.
  virtual absl::StatusOr<uint64_t> Size(const std::string& path) const = 0;
  // All or nothing, and durable when it returns: a temporary file beside it, fsync, rename, fsync
  // of the directory. Of a link the target is replaced, and the link stays. What is no file (a
  // directory, a device, a pipe) is never replaced: an error.
  absl::Status WriteAtomically(const std::string& path, absl::string_view bytes) const {
    return WritePieces(path, {bytes});
  }
  // The same of bytes that lie in several places, without a copy of them.
  virtual absl::Status WritePieces(const std::string& path,
                                   const std::vector<absl::string_view>& pieces) const = 0;
  // For a file that grows: it is cut to its first `offset` bytes, and `bytes` come after them; made
  // if `offset` is 0. Neither durable nor all or nothing, but an error costs none of the first
  // `offset` bytes, and leaves nothing after them if that can be done. DATA_LOSS: it is shorter
  // than `offset`.
  virtual absl::Status WriteFrom(const std::string& path, uint64_t offset,
                                 absl::string_view bytes) const = 0;
  // With its parents; fine if it exists.
  virtual absl::Status MakeDirectories(const std::string& path) const = 0;
  // Names, sorted, without "." and "..".
  virtual absl::StatusOr<std::vector<std::string>> List(const std::string& path) const = 0;
  // A file or a whole directory, and durable when it returns; fine if there is none.
  virtual absl::Status Remove(const std::string& path) const = 0;
  // A directory, but only if nothing is in it; fine if it is not there or something is.
  virtual absl::Status RemoveIfEmpty(const std::string& path) const = 0;
  // A file or a whole directory gets another name on the same disk: all or nothing, and durable
  // when it returns. ALREADY_EXISTS if there is anything at `to`, be it an empty directory: nothing
  // is ever replaced. NOT_FOUND without `from` or the directory of `to`.
  virtual absl::Status Rename(const std::string& from, const std::string& to) const = 0;
  virtual bool Exists(const std::string& path) const = 0;

  static const FileSystem& Real();
};

}  // namespace conadv

#endif  // CONADV_COMMON_OS_FILE_H_
