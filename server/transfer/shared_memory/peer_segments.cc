// SPDX-License-Identifier: Apache-2.0
#include "server/transfer/shared_memory/peer_segments.h"

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"

namespace conadv {

absl::StatusOr<std::shared_ptr<const PeerSegment>> PeerSegments::Find(
    const SegmentName& name, const std::vector<FileDescriptor>& files, size_t bytes) {
  if (name.bytes != bytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("segment ", name.id, ": it has ", name.bytes, " bytes, expected ", bytes));
  }
  const auto found = segments_.find(name.id);
  if (found != segments_.end()) {
    if (files.empty()) return found->second;
    return absl::InvalidArgumentError(
        absl::StrCat("segment ", name.id, ": its file has come already"));
  }
  if (files.empty()) {
    return absl::ResourceExhaustedError(absl::StrCat("segment ", name.id, " is not mapped here"));
  }
  if (segments_.size() >= kMost || *of_all_ >= kMostOfAll) {
    return absl::ResourceExhaustedError("as many segments are mapped as may be");
  }
  CONADV_ASSIGN_OR_RETURN(std::shared_ptr<const PeerSegment> opened,
                          PeerSegment::Open(files.front(), bytes));
  ++*of_all_;
  segments_[name.id] = opened;
  return opened;
}

}  // namespace conadv
