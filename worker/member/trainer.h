// SPDX-License-Identifier: Apache-2.0
// The worker's role: puts clients, cache, executor and pipeline together, and feeds them what the
// coordinator grants. Knows neither LibTorch nor what computes.
#ifndef CONADV_WORKER_MEMBER_TRAINER_H_
#define CONADV_WORKER_MEMBER_TRAINER_H_

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "client/transfer/sharded_pull.h"
#include "client/transfer/sharded_push.h"
#include "common/thread/mutex.h"
#include "worker/compute/unit_compute.h"
#include "worker/member/role.h"
#include "worker/member/shard_clients.h"
#include "worker/member/training_setup.h"
#include "worker/schedule/executor.h"
#include "worker/schedule/pipeline.h"
#include "worker/schedule/weight_cache.h"

namespace conadv {

// Who it is, and what computes there.
struct TrainerParts {
  std::string name;
  int lanes = 1;    // threads that compute
  int loaders = 1;  // threads that load examples
  std::unique_ptr<UnitCompute> compute;
  std::function<void()> prepare_thread;  // what each of them calls first; may be empty
  ArenaAllocator* gradients = nullptr;   // where they lie; nullptr: in the clients' memory
};

class Trainer final : public MemberRole {
 public:
  // `clients` and `parts.gradients` outlive the trainer.
  Trainer(TrainingSetup setup, TrainerParts parts, ShardClients* clients);
  ~Trainer() override;

  SessionHello Hello() const override;
  void SetEvents(RoleEvents events) override { events_ = std::move(events); }
  void Begin(std::shared_ptr<Session> session, const SessionWelcome& welcome) override;
  void Settings(const TauChanges& tau) override { pipeline_.SetTau(tau); }
  void Offer() override;
  void Grant(const std::vector<Unit>& units) override;
  void Evaluate(Version, bool) override {}
  void Drain() override;
  void Drop() override;
  void Stop() override;
  uint64_t progress() const override { return units_done_; }

 private:
  PipelineEvents MakePipelineEvents();
  std::shared_ptr<Session> session() const;
  // Nothing if the session's is another lineage: its coordinator must not hear of this one's units.
  std::shared_ptr<Session> session(Lineage lineage) const;

  const TrainingSetup setup_;
  const std::string name_;
  const Incarnation incarnation_;
  RoleEvents events_;
  ShardClients* const clients_;
  std::atomic<uint64_t> units_done_{0};
  mutable Mutex mutex_;
  std::shared_ptr<Session> session_ ABSL_GUARDED_BY(mutex_);  // nullptr between sessions
  Lineage lineage_ ABSL_GUARDED_BY(mutex_);                   // of the session, or of the last one
  ArenaPool gradients_;
  ShardedPull pull_;
  ShardedPush push_;
  WeightCache cache_;
  const std::unique_ptr<UnitCompute> compute_;
  const std::unique_ptr<UnitCompute> rounded_;  // nullptr: gradients go as they are
  Executor executor_;
  Executor loaders_;
  Pipeline pipeline_;
};

}  // namespace conadv

#endif  // CONADV_WORKER_MEMBER_TRAINER_H_
