// SPDX-License-Identifier: Apache-2.0
#include "client/shared_memory/link.h"

#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"

namespace conadv {
namespace {

// What an arena in a server's segment holds on to.
class Lease {
 public:
  Lease(std::shared_ptr<Link> link, uint64_t call, std::shared_ptr<const PeerSegment> segment)
      : link_(std::move(link)), call_(call), segment_(std::move(segment)) {}
  ~Lease() {
    // If it fails the link is broken, and the server never writes to that memory again.
    if (!link_->SendRelease(call_).ok()) link_->Shutdown();
  }
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;

 private:
  const std::shared_ptr<Link> link_;
  const uint64_t call_;
  const std::shared_ptr<const PeerSegment> segment_;
};

}  // namespace

absl::Status Link::Send(uint64_t call, SharedPush push, const SharedArenas::Shared& segment) {
  push.segment = {segment.id, segment.segment->bytes()};
  const std::string message = EncodeSharedRequest({call, std::move(push)});
  // Held while it is sent: whoever names the segment next, without its file, comes after it.
  MutexLock lock(&mutex_);
  const bool is_new = given_.insert(segment.id).second;
  return socket_.Send(message, is_new ? segment.segment->fd() : -1);
}

void Link::Withdraw(uint64_t segment) {
  MutexLock lock(&mutex_);
  given_.erase(segment);
}

absl::StatusOr<std::optional<SharedResponse>> Link::Receive() {
  CONADV_ASSIGN_OR_RETURN(const std::optional<LocalMessage> message, socket_.Receive());
  if (!message.has_value()) return std::nullopt;
  CONADV_ASSIGN_OR_RETURN(SharedResponse response, ParseSharedResponse(message->bytes));
  if (const auto* forget = std::get_if<ForgetSegment>(&response.content)) mapped_.erase(forget->id);
  if (const auto* pulled = std::get_if<SharedPulled>(&response.content)) {
    CONADV_RETURN_IF_ERROR(TakeFile(pulled->segment, message->files));
  }
  return response;
}

absl::Status Link::TakeFile(const SegmentName& name, const std::vector<FileDescriptor>& files) {
  if (files.empty()) {
    if (mapped_.count(name.id) > 0) return absl::OkStatus();
    return absl::DataLossError(absl::StrCat("segment ", name.id, " came without its file"));
  }
  CONADV_ASSIGN_OR_RETURN(mapped_[name.id], PeerSegment::Open(files.front(), name.bytes));
  return absl::OkStatus();
}

absl::StatusOr<std::shared_ptr<const Arena>> Link::Map(uint64_t call, const SharedPulled& pulled,
                                                       uint64_t size) {
  const std::shared_ptr<const PeerSegment> segment = mapped_.at(pulled.segment.id);
  // From here on, whatever comes of it, the server gets its version back.
  const auto lease = std::make_shared<const Lease>(shared_from_this(), call, segment);
  if (size > segment->bytes() / sizeof(float)) {
    return absl::DataLossError(absl::StrCat("an arena of ", size, " elements, in a segment of ",
                                            segment->bytes(), " bytes"));
  }
  return ArenaOf({static_cast<const float*>(segment->data()), size}, lease);
}

}  // namespace conadv
