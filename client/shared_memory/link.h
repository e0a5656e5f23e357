// SPDX-License-Identifier: Apache-2.0
// A connection to a server of this machine: what each side has of the other's segments. Arenas that
// lie in the server's keep it alive. One thread receives; all else is thread-safe.
#ifndef CONADV_CLIENT_SHARED_MEMORY_LINK_H_
#define CONADV_CLIENT_SHARED_MEMORY_LINK_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/protocol/shared_memory_message.h"
#include "common/shared_memory/local_socket.h"
#include "common/shared_memory/segment.h"
#include "common/shared_memory/shared_arenas.h"
#include "common/thread/mutex.h"

namespace conadv {

class Link : public std::enable_shared_from_this<Link> {
 public:
  explicit Link(LocalSocket socket) : socket_(std::move(socket)) {}

  // UNAVAILABLE: it is broken.
  absl::Status Send(uint64_t call, const PullQuery& query) { return SendPlain({call, query}); }
  absl::Status SendCancel(uint64_t call) { return SendPlain({call, CancelCall{}}); }
  absl::Status SendRelease(uint64_t call) { return SendPlain({call, ReleaseVersion{}}); }
  // From `segment`, which the push does not name yet. Its file goes along if it is new there.
  absl::Status Send(uint64_t call, SharedPush push, const SharedArenas::Shared& segment);
  // More of a push that was begun so.
  absl::Status Send(uint64_t call, SharedParts parts) {
    return SendPlain({call, std::move(parts)});
  }
  // The server did not take the segment: its file goes along once more.
  void Withdraw(uint64_t segment);

  // Nothing: there is none now. UNAVAILABLE: the server is gone. Others: it broke a rule.
  absl::StatusOr<std::optional<SharedResponse>> Receive();
  // Of an answer that Receive gave: `size` elements, which stay as they are, and mapped, until the
  // arena goes; then the server hears of it. DATA_LOSS: there are fewer.
  absl::StatusOr<std::shared_ptr<const Arena>> Map(uint64_t call, const SharedPulled& pulled,
                                                   uint64_t size);

  void Shutdown() const { socket_.Shutdown(); }
  int fd() const { return socket_.fd(); }

 private:
  absl::Status SendPlain(const SharedRequest& request) {
    return socket_.Send(EncodeSharedRequest(request));
  }
  absl::Status TakeFile(const SegmentName& name, const std::vector<FileDescriptor>& files);

  const LocalSocket socket_;
  // The server's segments. The receiving thread's.
  std::map<uint64_t, std::shared_ptr<const PeerSegment>> mapped_;
  Mutex mutex_;
  std::set<uint64_t> given_ ABSL_GUARDED_BY(mutex_);  // segments of ours whose files it has
};

}  // namespace conadv

#endif  // CONADV_CLIENT_SHARED_MEMORY_LINK_H_
