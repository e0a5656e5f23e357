// SPDX-License-Identifier: Apache-2.0
// One process of this machine that pulls and pushes through shared memory: its messages, the
// versions that it has mapped, and its segments. One thread drives it; answers leave on any.
#ifndef CONADV_SERVER_TRANSFER_SHARED_MEMORY_LOCAL_SESSION_H_
#define CONADV_SERVER_TRANSFER_SHARED_MEMORY_LOCAL_SESSION_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/protocol/shared_memory_message.h"
#include "common/shared_memory/local_socket.h"
#include "common/tensor/arena.h"
#include "common/thread/mutex.h"
#include "server/transfer/pull_session.h"
#include "server/transfer/shared_memory/local_parts.h"
#include "server/transfer/shared_memory/local_push.h"
#include "server/transfer/shared_memory/peer_segments.h"

namespace conadv {

class LocalSession : public std::enable_shared_from_this<LocalSession> {
 public:
  // Calls of one peer that may be open at a time.
  static constexpr size_t kMostCalls = 1024;

  LocalSession(const LocalParts& parts, LocalSocket socket);
  ~LocalSession();

  // Takes messages that are there, a bounded number. An error: the peer is gone, or broke a rule,
  // of which it has been told; Close is next.
  absl::Status Receive();
  // Of a message; an error says which rule is broken.
  absl::Status OnMessage(const LocalMessage& message);
  // Tells the peer which segments are no more. On any thread.
  void SendForgotten();
  // Nothing is sent any more, waits end, and so do leases: memory that the peer did not give back
  // is never written again.
  void Close();
  // Makes Receive fail. On any thread.
  void HangUp() { socket_.Shutdown(); }
  // Whether it has versions mapped, and has said nothing for `patience`. On any thread.
  bool Idles(absl::Duration patience) const;
  int fd() const { return socket_.fd(); }

 private:
  struct Pull;

  absl::Status OnPull(uint64_t call, const PullQuery& query);
  void OnReady(uint64_t call, Pull& pull, const absl::Status& status);
  void FinishHalf(uint64_t call, Pull& pull);
  absl::Status OnPush(uint64_t call, const SharedPush& push,
                      const std::vector<FileDescriptor>& files);
  absl::Status OnParts(uint64_t call, const SharedParts& parts);
  void OnCancel(uint64_t call);
  absl::Status OnRelease(uint64_t call);
  absl::Status CheckNew(uint64_t call) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void AnswerPush(uint64_t call, const absl::StatusOr<PushReply>& reply);
  void Send(const SharedResponse& response);
  void SendLocked(const SharedResponse& response, int file) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool closed() const;

  const LocalParts parts_;
  const LocalSocket socket_;
  PeerSegments segments_;
  mutable Mutex mutex_;
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Time heard_ ABSL_GUARDED_BY(mutex_);
  // By call. A pull becomes a lease.
  std::map<uint64_t, std::shared_ptr<Pull>> pulls_ ABSL_GUARDED_BY(mutex_);
  std::map<uint64_t, std::shared_ptr<LocalPush>> pushes_ ABSL_GUARDED_BY(mutex_);
  std::map<uint64_t, std::shared_ptr<const Arena>> leased_ ABSL_GUARDED_BY(mutex_);
  std::set<uint64_t> given_ ABSL_GUARDED_BY(mutex_);  // segments of ours whose files it has
};

}  // namespace conadv

#endif  // CONADV_SERVER_TRANSFER_SHARED_MEMORY_LOCAL_SESSION_H_
