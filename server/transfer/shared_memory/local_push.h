// SPDX-License-Identifier: Apache-2.0
// One push from a segment of a process of this machine, whose values may become final part after
// part: each is copied once, by one thread of the pool at a time. Thread-safe.
#ifndef CONADV_SERVER_TRANSFER_SHARED_MEMORY_LOCAL_PUSH_H_
#define CONADV_SERVER_TRANSFER_SHARED_MEMORY_LOCAL_PUSH_H_

#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "common/protocol/shared_memory_message.h"
#include "common/shared_memory/segment.h"
#include "common/thread/mutex.h"
#include "server/transfer/push_session.h"
#include "server/transfer/shared_memory/local_parts.h"

namespace conadv {

class LocalPush : public std::enable_shared_from_this<LocalPush> {
 public:
  // A member sends a part for each MiB of a push at most, where they lie apart.
  static constexpr size_t kMostParts = size_t{1} << 16;

  // `holds`: whether nobody can have written to the memory since it was named. `answer` is called
  // once at most, on any thread.
  LocalPush(const LocalParts& parts, std::string header, std::shared_ptr<const PeerSegment> segment,
            std::function<bool()> holds, PushSession::Answer answer);

  // More of it; the first may be empty, and has the push admitted. INVALID_ARGUMENT: it breaks a
  // rule of the protocol.
  absl::Status Add(const SharedParts& parts);
  // Nothing more comes; it is answered with an error. No effect after the last part.
  void Cancel();

 private:
  absl::Status CheckPart(const SharedPart& part) const;
  // With a reason for its end, unless it is whole.
  void End(const absl::Status& why);
  void Run();
  absl::Status Copy(const SharedPart& part);

  ThreadPool* const pool_;
  const std::shared_ptr<const PeerSegment> segment_;
  const std::function<bool()> holds_;
  const PushSession::Answer answer_;
  std::string header_;  // of who runs; empty once the session has it
  Mutex mutex_;
  std::deque<SharedPart> parts_ ABSL_GUARDED_BY(mutex_);
  size_t came_ ABSL_GUARDED_BY(mutex_) = 0;  // parts
  bool last_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Status end_ ABSL_GUARDED_BY(mutex_);      // not OK: the reason
  bool running_ ABSL_GUARDED_BY(mutex_) = false;  // or over
  PushSession session_;  // of who runs; last: it may ask for the end until it is gone
};

}  // namespace conadv

#endif  // CONADV_SERVER_TRANSFER_SHARED_MEMORY_LOCAL_PUSH_H_
