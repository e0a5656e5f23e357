// SPDX-License-Identifier: Apache-2.0
// One push, whatever brings its bytes: the header admits it, values are copied once into the
// shard's buffer and looked at there, and the pool does the rest. One thread at a time; lives until
// it has answered.
#ifndef CONADV_SERVER_TRANSFER_PUSH_SESSION_H_
#define CONADV_SERVER_TRANSFER_PUSH_SESSION_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/base/ids.h"
#include "common/protocol/push_message.h"
#include "common/wire/chunk.h"
#include "server/shard/shard.h"
#include "server/transfer/arrived_ranges.h"
#include "server/transfer/push_watch.h"

namespace conadv {

class PushSession {
 public:
  using Answer = std::function<void(const absl::StatusOr<PushReply>&)>;

  // `shard` and `watch` outlive it. `evict` may be called, with the watch's lock held, while
  // nothing comes of the push though others wait for its place: it brings the push to its end.
  PushSession(Shard* shard, PushWatch* watch, Incarnation incarnation, std::function<void()> evict);
  ~PushSession() { Close(); }
  PushSession(const PushSession&) = delete;
  PushSession& operator=(const PushSession&) = delete;

  // A chunk, of any part that is still missing. An error refuses the push, which has changed
  // nothing. Some: INVALID_ARGUMENT, it is of no such part; RESOURCE_EXHAUSTED with a retry delay,
  // there is no room now.
  absl::Status Add(const Chunk& chunk);
  // After Add: the shard has it already, so the reply is there and nothing need follow.
  bool is_duplicate() const { return duplicate_; }
  PushReply Reply(PushOutcome outcome) const;
  // The peer has sent everything. `answer` is called once, perhaps at once, perhaps on the pool.
  void Finish(Answer answer);
  // Nothing more comes: it holds no place in the watch any more. Again: no effect.
  void Close() { watch_->End(place_); }

 private:
  absl::Status Begin(const std::string& header);

  Shard* const shard_;
  PushWatch* const watch_;
  const Incarnation incarnation_;
  const std::function<void()> evict_;
  std::optional<Contribution> contribution_;
  std::optional<Shard::InitialWeights> initial_;
  Shard::Admission admission_;
  std::shared_ptr<Arena> buffer_;  // buffer_[0] is the range's begin
  Range range_;
  ElementType type_ = ElementType::kFloat32;
  ArrivedRanges arrived_;  // elements of the shard's arena
  bool duplicate_ = false;
  uint64_t place_ = 0;  // in the watch; 0: none yet
};

}  // namespace conadv

#endif  // CONADV_SERVER_TRANSFER_PUSH_SESSION_H_
