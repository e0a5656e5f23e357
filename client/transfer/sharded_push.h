// SPDX-License-Identifier: Apache-2.0
// Pushes gradients, or the initial weights, to every shard. Thread-safe.
#ifndef CONADV_CLIENT_TRANSFER_SHARDED_PUSH_H_
#define CONADV_CLIENT_TRANSFER_SHARDED_PUSH_H_

#include <functional>
#include <memory>
#include <vector>

#include "client/transfer/contribution_sink.h"
#include "client/transfer/parameter_client.h"
#include "common/base/backoff.h"
#include "common/job/streams.h"
#include "common/plan/plan.h"
#include "common/stats/transfer_observer.h"
#include "common/tensor/arena.h"
#include "common/tensor/layout.h"
#include "common/thread/timer.h"

namespace conadv {

struct PushOptions {
  // Of one call, beside the time that its bytes may take.
  absl::Duration timeout = absl::Seconds(30);
  // Of a shard that is away or overloaded. Trying again is safe: shards accept each contribution
  // once.
  BackoffOptions backoff;
  // What contributions are on their way; where it is kBfloat16, each of their values is one.
  ElementType type = ElementType::kFloat32;
};

class ShardedPush final : public ContributionSink {
 public:
  // What the pointers show outlives this and every push. clients[i] is shard i.
  ShardedPush(std::shared_ptr<const Layout> layout, GradientStreams streams,
              std::vector<ParameterClient*> clients, Timer* timer, TransferObserver* observer,
              const PushOptions& options);

  std::shared_ptr<OpenPush> Open(const Contribution& header, std::shared_ptr<const Arena> gradients,
                                 absl::Time begun, Done done) override;
  void Push(const Contribution& header, std::shared_ptr<const Arena> gradients, Done done) override;
  // Each shard's whole arena.
  void PushInitialWeights(std::shared_ptr<const Plan> plan, std::shared_ptr<const Arena> weights,
                          Done done);

 private:
  struct Parts {
    std::shared_ptr<const Layout> layout;
    GradientStreams streams;
    std::vector<ParameterClient*> clients;
    Timer* timer;
    TransferObserver* observer;
    PushOptions options;
  };
  class Attempt;
  std::vector<PushContent> ContentsOf(const Contribution& header,
                                      std::shared_ptr<const Arena> gradients) const;

  std::shared_ptr<const Parts> parts_;
};

}  // namespace conadv

#endif  // CONADV_CLIENT_TRANSFER_SHARDED_PUSH_H_
