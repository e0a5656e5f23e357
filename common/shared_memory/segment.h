// SPDX-License-Identifier: Apache-2.0
// Memory that processes of one machine share: a memfd. It has no name that others could open, needs
// no room in /dev/shm, and is gone with the last process that has it, whatever is killed. It is
// sealed: its size stays what it is, and only its owner, who mapped it before that, ever writes to
// it. Linux 5.1 or later. One owner each; reads are thread-safe.
#ifndef CONADV_COMMON_SHARED_MEMORY_SEGMENT_H_
#define CONADV_COMMON_SHARED_MEMORY_SEGMENT_H_

#include <cstddef>
#include <memory>
#include <utility>

#include "absl/status/statusor.h"
#include "common/os/file_descriptor.h"

namespace conadv {

// What `bytes` take as a segment: whole pages.
size_t SegmentBytes(size_t bytes);

// Pages of a shared mapping; unmapped when it goes.
class MappedPages {
 public:
  MappedPages(void* data, size_t bytes) : data_(data), bytes_(bytes) {}
  ~MappedPages();
  MappedPages(MappedPages&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), bytes_(other.bytes_) {}

  void* data() const { return data_; }
  size_t bytes() const { return bytes_; }

 private:
  void* data_;
  size_t bytes_;
};

// The owner's.
class SharedSegment {
 public:
  // SegmentBytes(bytes) of zeros, all of them there: later nothing can run out of memory on a page
  // of it. UNAVAILABLE, with the reason: this system has none.
  static absl::StatusOr<std::unique_ptr<SharedSegment>> Create(size_t bytes);

  void* data() const { return pages_.data(); }
  size_t bytes() const { return pages_.bytes(); }
  // To be sent to peers.
  int fd() const { return file_.get(); }

 private:
  SharedSegment(FileDescriptor file, MappedPages pages)
      : file_(std::move(file)), pages_(std::move(pages)) {}

  const FileDescriptor file_;
  const MappedPages pages_;
};

// Another process's, to be read. The file may be closed afterwards.
class PeerSegment {
 public:
  // INVALID_ARGUMENT, with the reason: it is no memfd of `bytes`, or not sealed, so that its owner
  // could take pages away while they are read. RESOURCE_EXHAUSTED: it cannot be mapped.
  static absl::StatusOr<std::unique_ptr<const PeerSegment>> Open(const FileDescriptor& file,
                                                                 size_t bytes);

  const void* data() const { return pages_.data(); }
  size_t bytes() const { return pages_.bytes(); }

 private:
  explicit PeerSegment(MappedPages pages) : pages_(std::move(pages)) {}

  const MappedPages pages_;
};

}  // namespace conadv

#endif  // CONADV_COMMON_SHARED_MEMORY_SEGMENT_H_
