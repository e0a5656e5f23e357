// SPDX-License-Identifier: Apache-2.0
// One shard's data plane as a worker uses it, whatever carries the bytes: each transport has its
// own, and tests need no network. Thread-safe; callbacks come on any thread, perhaps before the
// call that asked for them has returned.
#ifndef CONADV_CLIENT_TRANSFER_PARAMETER_CLIENT_H_
#define CONADV_CLIENT_TRANSFER_PARAMETER_CLIENT_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <variant>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "client/transfer/ready_chunks.h"
#include "common/base/ids.h"
#include "common/plan/plan.h"
#include "common/protocol/contribution.h"
#include "common/protocol/pull_selector.h"
#include "common/protocol/push_message.h"
#include "common/protocol/shared_memory_message.h"
#include "common/tensor/arena.h"
#include "common/tensor/layout.h"

namespace conadv {

struct PushContent {
  std::variant<Contribution, std::shared_ptr<const Plan>> header;  // a plan: initial weights
  // All shards' arenas; kept alive for longer than the push. What is final in it is not written
  // until the push is done.
  std::shared_ptr<const Arena> arena;
  size_t arena_begin = 0;  // of this shard, in `arena`
  Range range;             // in the shard's arena
  // On the way; where it is kBfloat16, each value is one.
  ElementType type = ElementType::kFloat32;
  // What is final of the range, in chunks of kChunkBytes on the way; nullptr: all of it. Only of a
  // client that pushes gradually may some of it be still to come.
  std::shared_ptr<ReadyChunks> ready = nullptr;
};

// What a call's deadline leaves for `bytes` on the slowest network that is worth training on.
inline absl::Duration TransferAllowance(uint64_t bytes) {
  constexpr double kSlowestBytesPerSecond = 4 << 20;
  return absl::Seconds(static_cast<double>(bytes) / kSlowestBytesPerSecond);
}

struct PulledShard {
  Version version;
  Lineage lineage;  // of the weights: a version number means other weights in another one
  // When the transfer began; before it, the version may have been waited for.
  absl::Time first_chunk;
  // Not nullptr: the shard's whole arena, where it lies already; `allocate` was not asked.
  std::shared_ptr<const Arena> weights = nullptr;
};

class ParameterClient {
 public:
  virtual ~ParameterClient() = default;

  // Where a version's arena goes: asked once, when the first chunk is there. As long as the shard's
  // arena, and written until `done` is called.
  using Allocate = std::function<absl::StatusOr<absl::Span<float>>(Version)>;
  using PullDone = std::function<void(absl::StatusOr<PulledShard>)>;
  // The server's errors; INVALID_ARGUMENT also if what comes is not what was asked for, DATA_LOSS
  // if its chunks do not make a whole; ABORTED if the server is not the process that answered
  // before. They do not name the server.
  virtual void Pull(const PullSelector& selector, absl::Duration timeout, Allocate allocate,
                    PullDone done) = 0;

  // Whether a push of so many elements had better begin before all of its values are final.
  virtual bool pushes_gradually(size_t /*elements*/) const { return false; }
  using PushDone = std::function<void(absl::StatusOr<PushReply>)>;
  virtual void Push(const PushContent& content, absl::Duration timeout, PushDone done) = 0;

  // What the server says of itself. Errors as Pull's.
  using DescribeDone = std::function<void(absl::StatusOr<ServerDescription>)>;
  virtual void Describe(absl::Duration timeout, DescribeDone done) = 0;

  // What calls name from now on; servers of another lineage answer them ABORTED.
  virtual void SetLineage(Lineage lineage) = 0;
  // Ends every call in flight with CANCELLED, and forgets which process it was that answered.
  virtual void Reset() = 0;
  // Cancels every call and waits until its `done` has returned; later calls are CANCELLED at once.
  // So does the destructor. Not to be called from a callback.
  virtual void Shutdown() = 0;
  virtual const std::string& address() const = 0;
};

}  // namespace conadv

#endif  // CONADV_CLIENT_TRANSFER_PARAMETER_CLIENT_H_
