// SPDX-License-Identifier: Apache-2.0
// Owns a file descriptor and closes it. One thread at a time.
#ifndef CONADV_COMMON_OS_FILE_DESCRIPTOR_H_
#define CONADV_COMMON_OS_FILE_DESCRIPTOR_H_

#include <unistd.h>

#include <utility>

namespace conadv {

class FileDescriptor {
 public:
  FileDescriptor() = default;
  explicit FileDescriptor(int fd) : fd_(fd) {}
  ~FileDescriptor() { Close(); }
  FileDescriptor(FileDescriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }

  int get() const { return fd_; }
  bool open() const { return fd_ >= 0; }
  // Somebody else closes it from now on.
  int Release() { return std::exchange(fd_, -1); }
  void Close() {
    if (fd_ >= 0) close(fd_);
    fd_ = -1;
  }

 private:
  int fd_ = -1;
};

}  // namespace conadv

#endif  // CONADV_COMMON_OS_FILE_DESCRIPTOR_H_
