// SPDX-License-Identifier: Apache-2.0
#include "worker/member/evaluator_role.h"

#include <pthread.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/clock.h"
#include "common/base/random.h"
#include "common/base/status_macros.h"
#include "common/os/file.h"
#include "common/thread/wait.h"
#include "glog/logging.h"
#include "worker/evaluate/evaluate.h"
#include "worker/model/source/export_model.h"

namespace conadv {
namespace {

// Of the final model: a disk that fails now and then, as one beyond a network does, may not the
// next time. Far less than what a member may be silent for.
constexpr int kExportTries = 3;
constexpr absl::Duration kExportAgain = absl::Seconds(1);

}  // namespace

absl::StatusOr<std::unique_ptr<EvaluatorRole>> EvaluatorRole::Create(Setup setup,
                                                                     EvaluatorOptions options,
                                                                     CoordinatorClient* coordinator,
                                                                     ShardClients* clients) {
  CONADV_ASSIGN_OR_RETURN(TestSets test, OpenTestSets(setup.run.job, *setup.dataset));
  return std::make_unique<EvaluatorRole>(std::move(setup), std::move(test), std::move(options),
                                         coordinator, clients);
}

EvaluatorRole::EvaluatorRole(Setup setup, TestSets test, EvaluatorOptions options,
                             CoordinatorClient* coordinator, ShardClients* clients)
    : setup_(std::move(setup)),
      test_(std::move(test)),
      options_(std::move(options)),
      incarnation_(RandomIncarnation()),
      coordinator_(coordinator),
      clients_(clients),
      pull_(setup_.layout, clients->pointers(), clients->timer(), clients->statistics(), {}),
      thread_([this] { Loop(); }) {}

EvaluatorRole::~EvaluatorRole() { Stop(); }

SessionHello EvaluatorRole::Hello() const {
  SessionHello hello;
  hello.evaluator = true;
  hello.name = options_.name;
  hello.incarnation = incarnation_;
  hello.threads = static_cast<uint32_t>(options_.threads);
  return hello;
}

void EvaluatorRole::Begin(std::shared_ptr<Session>, const SessionWelcome& welcome) {
  clients_->SetLineage(welcome.lineage);
  MutexLock lock(&mutex_);
  lineage_ = welcome.lineage;
}

void EvaluatorRole::Evaluate(Version version, bool robust) {
  uint64_t session;
  Lineage lineage;
  {
    MutexLock lock(&mutex_);
    session = session_;
    lineage = lineage_;
  }
  const bool averaged = setup_.run.job.optimizer.average.has_value();
  pull_.Pull(PullSelector::AtLeast(version).Averaged(averaged),
             [this, session, lineage, robust](const absl::StatusOr<VersionedWeights>& weights) {
               {
                 MutexLock lock(&mutex_);
                 if (session != session_ || stopped_) return;
                 if (weights.ok()) {
                   requests_.push_back({session, lineage, *weights, robust});
                   changed_.NotifyOne();
                   return;
                 }
               }
               events_.broken(weights.status());
             });
}

void EvaluatorRole::Drain() { events_.drained(); }

void EvaluatorRole::Drop() {
  {
    MutexLock lock(&mutex_);
    ++session_;
    requests_.clear();
  }
  clients_->Reset();
}

void EvaluatorRole::Stop() {
  {
    MutexLock lock(&mutex_);
    stopped_ = true;
    requests_.clear();
    changed_.NotifyOne();
  }
  if (thread_.joinable()) thread_.join();
  clients_->Stop();
}

uint64_t EvaluatorRole::progress() const {
  MutexLock lock(&mutex_);
  return reports_;
}

void EvaluatorRole::Loop() {
  pthread_setname_np(pthread_self(), "evaluation");
  for (;;) {
    Request request;
    {
      MutexLock lock(&mutex_);
      while (!stopped_ && requests_.empty()) changed_.Wait(&mutex_);
      if (stopped_) return;
      request = std::move(requests_.front());
      requests_.pop_front();
    }
    const absl::Status status = EvaluateAndReport(request);
    {
      MutexLock lock(&mutex_);
      if (status.ok()) ++reports_;
      if (status.ok() || request.session != session_ || stopped_) continue;
    }
    events_.broken(status);
  }
}

absl::Status EvaluatorRole::EvaluateAndReport(const Request& request) {
  absl::StatusOr<EvaluationResult> report = EvaluateRequest(request);
  if (!report.ok()) {
    return absl::Status(report.status().code(),
                        absl::StrCat("evaluation of version ", request.weights.version.value(),
                                     ": ", report.status().message()));
  }
  // The run ends with the report: whoever waits for that finds the model.
  if (report->final) Export(request);
  return coordinator_->Report(*report);
}

absl::StatusOr<EvaluationResult> EvaluatorRole::EvaluateRequest(const Request& request) {
  const Job& job = setup_.run.job;
  const absl::Time begin = Clock::Real().Now();
  EvaluationRun run;
  run.robust = request.robust;
  run.threads = options_.threads;
  run.seed = job.seed;
  if (job.training.attacks()) run.training_attack = job.attack;
  run.best_alignment = best_alignment_;
  run.go_on = [this, &request] {
    clients_->statistics()->UnitDone();
    MutexLock lock(&mutex_);
    return !stopped_ && request.session == session_;
  };
  CONADV_ASSIGN_OR_RETURN(
      const Evaluation evaluation,
      conadv::Evaluate(setup_.model.factory, setup_.layout, request.weights.weights, *test_.clean,
                       *setup_.device, job.evaluation, run));
  if (evaluation.overfitting.has_value()) {
    best_alignment_ = std::max(best_alignment_, evaluation.overfitting->alignment);
  }
  EvaluationResult report;
  report.version = request.weights.version;
  report.lineage = request.lineage;
  report.examples = evaluation.examples;
  report.clean_accuracy = evaluation.clean_accuracy;
  report.clean_loss = evaluation.clean_loss;
  if (evaluation.robust) report.robust_accuracy = evaluation.robust_accuracy;
  report.attacks = evaluation.attacks;
  report.warnings = evaluation.warnings;
  report.final = report.version.value() >= setup_.plan->steps * job.training.updates_per_step();
  if (report.final) {
    CONADV_ASSIGN_OR_RETURN(
        report.corruptions,
        EvaluateCorruptions(setup_.model.factory, setup_.layout, request.weights.weights,
                            test_.corrupted, *setup_.device, job.evaluation, run));
  }
  report.seconds = absl::ToDoubleSeconds(Clock::Real().Now() - begin);
  return report;
}

void EvaluatorRole::Export(const Request& request) const {
  if (options_.export_path.empty()) return;
  for (int tries = 1;; ++tries) {
    const absl::Status status =
        ExportModel(setup_.model.module, *setup_.layout, request.weights.weights->span(),
                    request.weights.version, options_.export_path, FileSystem::Real());
    if (status.ok()) return;
    // The accuracy is no worse for it, and the weights are elsewhere, too.
    LOG(ERROR) << "the model was not written: " << status.message();
    if (tries == kExportTries) return;
    WaitFor(kExportAgain, [this] {
      MutexLock lock(&mutex_);
      return stopped_;
    });
  }
}

}  // namespace conadv
