// SPDX-License-Identifier: Apache-2.0
// The evaluator's role: pulls the version it is asked about, evaluates it on a thread of its own,
// and reports.
#ifndef CONADV_WORKER_MEMBER_EVALUATOR_ROLE_H_
#define CONADV_WORKER_MEMBER_EVALUATOR_ROLE_H_

#include <deque>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "client/run/coordinator_client.h"
#include "client/transfer/sharded_pull.h"
#include "common/thread/mutex.h"
#include "worker/evaluate/evaluate.h"
#include "worker/evaluate/test_sets.h"
#include "worker/member/role.h"
#include "worker/member/setup.h"
#include "worker/member/shard_clients.h"

namespace conadv {

struct EvaluatorOptions {
  std::string name;
  int threads = 1;
  std::string export_path;  // where the final model goes; empty: nowhere
};

class EvaluatorRole final : public MemberRole {
 public:
  // INVALID_ARGUMENT, NOT_FOUND: the test split, or its corruptions. `coordinator` and `clients`
  // outlive the role.
  static absl::StatusOr<std::unique_ptr<EvaluatorRole>> Create(Setup setup,
                                                               EvaluatorOptions options,
                                                               CoordinatorClient* coordinator,
                                                               ShardClients* clients);
  EvaluatorRole(Setup setup, TestSets test, EvaluatorOptions options,
                CoordinatorClient* coordinator, ShardClients* clients);
  ~EvaluatorRole() override;

  SessionHello Hello() const override;
  void SetEvents(RoleEvents events) override { events_ = std::move(events); }
  void Begin(std::shared_ptr<Session>, const SessionWelcome& welcome) override;
  void Grant(const std::vector<Unit>&) override {}
  void Evaluate(Version version, bool robust) override;
  void Drain() override;
  void Drop() override;
  void Stop() override;
  uint64_t progress() const override;

 private:
  struct Request {
    uint64_t session = 0;
    Lineage lineage;
    VersionedWeights weights;
    bool robust = false;
  };

  void Loop();
  absl::Status EvaluateAndReport(const Request& request);
  absl::StatusOr<EvaluationResult> EvaluateRequest(const Request& request);
  void Export(const Request& request) const;

  const Setup setup_;
  const TestSets test_;
  const EvaluatorOptions options_;
  const Incarnation incarnation_;
  CoordinatorClient* const coordinator_;
  ShardClients* const clients_;
  RoleEvents events_;
  ShardedPull pull_;
  mutable Mutex mutex_;
  CondVar changed_;
  // The coordinator asks for the next evaluation after the one before.
  std::deque<Request> requests_ ABSL_GUARDED_BY(mutex_);
  uint64_t session_ ABSL_GUARDED_BY(mutex_) = 0;  // counts Drop()
  Lineage lineage_ ABSL_GUARDED_BY(mutex_);       // of the session
  uint64_t reports_ ABSL_GUARDED_BY(mutex_) = 0;
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
  double best_alignment_ = 0;  // of all checks so far; the thread's
  std::thread thread_;
};

}  // namespace conadv

#endif  // CONADV_WORKER_MEMBER_EVALUATOR_ROLE_H_
