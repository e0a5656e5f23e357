// SPDX-License-Identifier: Apache-2.0
// Pulls one version of all shards into one arena: the same version in every tensor, or an error.
// Thread-safe.
#ifndef CONADV_CLIENT_TRANSFER_SHARDED_PULL_H_
#define CONADV_CLIENT_TRANSFER_SHARDED_PULL_H_

#include <functional>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "client/transfer/parameter_client.h"
#include "client/transfer/weight_source.h"
#include "common/base/backoff.h"
#include "common/stats/transfer_observer.h"
#include "common/tensor/arena.h"
#include "common/tensor/layout.h"
#include "common/thread/timer.h"

namespace conadv {

struct PullOptions {
  // Of one call, beside the time that its bytes may take. A version that is not there by then is
  // asked for again, for as long as it takes.
  absl::Duration long_poll = absl::Seconds(20);
  // Of the other shards' calls after shard 0 chose the version: a shard that lags longer than this
  // may be waiting for the very unit that these weights are for, so that shard chooses.
  absl::Duration lagging_shard = absl::Milliseconds(250);
  // Of a shard that is away; a budget of nothing makes that an error at once.
  BackoffOptions backoff;
  // What the values are on their way.
  ElementType type = ElementType::kFloat32;
  // Of the whole pull, waiting and all.
  absl::Duration timeout = absl::InfiniteDuration();
  // What a pull ends with if a shard has failed; by default its code, the question and its address
  // before its message. Called once, before `done`.
  std::function<absl::Status(uint32_t shard, const PullSelector&, const absl::Status&)> describe;
};

class ShardedPull final : public WeightSource {
 public:
  // What the pointers show outlives this and every pull. clients[i] is shard i.
  ShardedPull(std::shared_ptr<const Layout> layout, std::vector<ParameterClient*> clients,
              Timer* timer, TransferObserver* observer, const PullOptions& options);

  // Exactly: from all shards at once. Otherwise shard 0 chooses, or a shard that lags behind it,
  // and the others answer with the choice. Errors are the servers', naming the shard; UNAVAILABLE
  // also if the shards' weights are of different lineages, as while a run goes back.
  void Pull(const PullSelector& selector, Done done) override;

 private:
  class Attempt;
  struct Parts {
    std::shared_ptr<const Layout> layout;
    std::vector<ParameterClient*> clients;
    Timer* timer;
    TransferObserver* observer;
    PullOptions options;
    ArenaPool pool;
  };
  std::shared_ptr<Parts> parts_;
};

}  // namespace conadv

#endif  // CONADV_CLIENT_TRANSFER_SHARDED_PULL_H_
