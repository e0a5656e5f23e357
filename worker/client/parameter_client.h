// SPDX-License-Identifier: Apache-2.0
// One shard's data plane as the worker uses it. An interface, so that tests need no network.
// Thread-safe; callbacks come on any thread, perhaps before the call that asked for them has
// returned.
#ifndef CONADV_WORKER_CLIENT_PARAMETER_CLIENT_H_
#define CONADV_WORKER_CLIENT_PARAMETER_CLIENT_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <variant>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "common/base/ids.h"
#include "common/job/plan.h"
#include "common/tensor/arena.h"
#include "common/tensor/layout.h"

namespace conadv {

// Which version to pull; the fields of PullRequest.
struct PullSelector {
  enum class Kind { kExactly, kLatest, kLag, kAtLeast };
  Kind kind = Kind::kLatest;
  uint64_t value = 0;

  static PullSelector Exactly(Version version) { return {Kind::kExactly, version.value()}; }
  static PullSelector Latest() { return {Kind::kLatest, 0}; }
  static PullSelector Lag(uint64_t lag) { return {Kind::kLag, lag}; }
  static PullSelector AtLeast(Version version) { return {Kind::kAtLeast, version.value()}; }
  std::string ToString() const;
};

// What a push says about the gradients it carries; the fields of PushHeader.Contribution.
struct ContributionHeader {
  Unit unit;
  Lineage lineage;  // of the weights it was computed with; 0 names none
  GradientStream stream = GradientStream::kClean;
  Version update_version;
  Version attack_version;  // kAdversarial; at most update_version
  float loss = 0;
  float accuracy = 0;
};

// The initial weights of a run instead of a contribution.
struct InitialWeightsHeader {
  std::shared_ptr<const Plan> plan;
};

struct PushContent {
  std::variant<ContributionHeader, InitialWeightsHeader> header;
  // All shards' arenas; not written until the push is done, and kept alive for longer than that.
  std::shared_ptr<const Arena> arena;
  size_t arena_begin = 0;  // of this shard, in `arena`
  Range range;             // in the shard's arena
};

// What a call's deadline leaves for `bytes` on the slowest network that is worth training on.
absl::Duration TransferAllowance(uint64_t bytes);

struct PulledShard {
  Version version;
  absl::Time
      first_chunk;  // when the transfer began; before it, the version may have been waited for
};

struct PushAnswer {
  bool duplicate = false;
  Version latest;
};

class ParameterClient {
 public:
  virtual ~ParameterClient() = default;

  // Where a version's arena goes: asked once, when the first chunk is there. As long as the shard's
  // arena, and written until `done` is called.
  using Allocate = std::function<absl::StatusOr<absl::Span<float>>(Version)>;
  using PullDone = std::function<void(absl::StatusOr<PulledShard>)>;
  // The server's errors; INVALID_ARGUMENT also if what comes is not what was asked for; ABORTED if
  // the server is not the process that answered before.
  virtual void Pull(const PullSelector& selector, absl::Duration timeout, Allocate allocate,
                    PullDone done) = 0;

  using PushDone = std::function<void(absl::StatusOr<PushAnswer>)>;
  virtual void Push(const PushContent& content, absl::Duration timeout, PushDone done) = 0;

  // Ends every call in flight with CANCELLED, and forgets which process it was that answered.
  virtual void Reset() = 0;
  virtual const std::string& address() const = 0;
};

}  // namespace conadv

#endif  // CONADV_WORKER_CLIENT_PARAMETER_CLIENT_H_
