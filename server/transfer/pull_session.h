// SPDX-License-Identifier: Apache-2.0
// One pull, whatever takes its bytes: waits for its version without holding a thread, then gives
// out the snapshot's parts, which are not copied. Driven by one call's events: Start first, then
// one thread at a time; only Cancel may come at any time after Start has returned.
#ifndef CONADV_SERVER_TRANSFER_PULL_SESSION_H_
#define CONADV_SERVER_TRANSFER_PULL_SESSION_H_

#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/base/ids.h"
#include "common/protocol/pull_message.h"
#include "common/tensor/arena.h"
#include "server/shard/shard.h"

namespace conadv {

class PullSession {
 public:
  // `shard` outlives it.
  PullSession(Shard* shard, Incarnation incarnation) : shard_(shard), incarnation_(incarnation) {}
  ~PullSession() { End(); }
  PullSession(const PullSession&) = delete;
  PullSession& operator=(const PullSession&) = delete;

  // `ready` is called once, perhaps at once, perhaps on another thread: OK, there is a first part.
  // `evict` may be called from then until End, with the store's lock held, when nothing is taken
  // though others wait for room: it brings the pull to its end. Errors, through `ready`: what the
  // query lacks, ABORTED of another lineage, and the store's.
  void Start(const PullQuery& query, std::function<void(const absl::Status&)> ready,
             std::function<void()> evict);
  struct Part {
    std::string header;  // serialized; of the first part only
    size_t begin = 0;    // elements
    size_t size = 0;
    bool last = false;
  };
  // REQUIRES: it is ready, and the part before was not the last.
  Part Next();
  const std::shared_ptr<const Arena>& weights() const { return weights_; }
  // What the parts are to be on their way.
  ElementType type() const { return type_; }
  // A part was taken.
  void OnTaken();
  // True: `ready` will never be called. False: it has been, or is being called.
  bool Cancel();
  // Lets go of the snapshot; who waits for room may begin. Again: no effect.
  void End();

 private:
  absl::Status OnSnapshot(const absl::StatusOr<Snapshot>& snapshot, const PullQuery& query);

  Shard* const shard_;
  const Incarnation incarnation_;
  ReadId read_ = 0;                       // 0: none began
  std::shared_ptr<const Arena> weights_;  // or their average
  ElementType type_ = ElementType::kFloat32;
  std::string header_;
  size_t next_ = 0;
};

}  // namespace conadv

#endif  // CONADV_SERVER_TRANSFER_PULL_SESSION_H_
