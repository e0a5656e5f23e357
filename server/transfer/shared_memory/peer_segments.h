// SPDX-License-Identifier: Apache-2.0
// One peer's segments, mapped when they are first pushed from. One thread; what it gives out may be
// read on any.
#ifndef CONADV_SERVER_TRANSFER_SHARED_MEMORY_PEER_SEGMENTS_H_
#define CONADV_SERVER_TRANSFER_SHARED_MEMORY_PEER_SEGMENTS_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "common/os/file_descriptor.h"
#include "common/protocol/shared_memory_message.h"
#include "common/shared_memory/segment.h"

namespace conadv {

class PeerSegments {
 public:
  // Of one peer: a worker of 256 threads has 514 gradients on their way at most. Of all: the system
  // lets a process map 65,530 pieces.
  static constexpr size_t kMost = 520;
  static constexpr size_t kMostOfAll = 16384;

  // `of_all` counts the segments of all peers, and outlives them.
  explicit PeerSegments(std::atomic<size_t>* of_all) : of_all_(of_all) {}
  ~PeerSegments() { *of_all_ -= segments_.size(); }
  PeerSegments(const PeerSegments&) = delete;
  PeerSegments& operator=(const PeerSegments&) = delete;

  // The segment of this name. `files` came along: one if it is new, else none. `bytes` is what it
  // has to have. INVALID_ARGUMENT: the peer breaks the rules. RESOURCE_EXHAUSTED: it cannot be
  // mapped, or was not when its file came.
  absl::StatusOr<std::shared_ptr<const PeerSegment>> Find(const SegmentName& name,
                                                          const std::vector<FileDescriptor>& files,
                                                          size_t bytes);

 private:
  std::atomic<size_t>* const of_all_;
  std::map<uint64_t, std::shared_ptr<const PeerSegment>> segments_;
};

}  // namespace conadv

#endif  // CONADV_SERVER_TRANSFER_SHARED_MEMORY_PEER_SEGMENTS_H_
