// SPDX-License-Identifier: Apache-2.0
#include "worker/evaluate/evaluate.h"

#include <algorithm>
#include <exception>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "common/thread/mutex.h"
#include "glog/logging.h"
#include "worker/device/inputs.h"
#include "worker/evaluate/batch_evaluation.h"
#include "worker/evaluate/batches.h"
#include "worker/evaluate/examples.h"
#include "worker/evaluate/suite/suite.h"
#include "worker/evaluate/warnings.h"
#include "worker/model/replica.h"

namespace conadv {
namespace {

// Large enough that a convolution is busy, small enough that the activations stay in the cache.
constexpr uint64_t kBatch = 128;

// Who evaluates what: all that a pass over some examples needs. What it points to outlives it.
struct ExamplesPass {
  std::function<std::unique_ptr<Replica>()> make_replica;
  const Dataset* examples = nullptr;
  std::vector<uint64_t> indices;
  Device* device = nullptr;
  const EvaluationRun* run = nullptr;
};

// Tells how far things are, one at a time.
class Told {
 public:
  Told(const EvaluationRun* run, std::string stage, uint64_t examples) : run_(run) {
    progress_.stage = std::move(stage);
    progress_.examples = examples;
    Tell();
  }
  void OnStage(const std::string& stage) {
    MutexLock lock(&mutex_);
    progress_.stage = stage;
    Tell();
  }
  void OnBatch(uint64_t examples, const BatchResult& result) {
    MutexLock lock(&mutex_);
    progress_.done += examples;
    progress_.right += static_cast<uint64_t>(result.right);
    if (!result.standing.empty()) {
      progress_.standing += static_cast<uint64_t>(result.standing.back());
    }
    Tell();
  }

 private:
  void Tell() {
    if (run_->on_progress) run_->on_progress(progress_);
  }

  const EvaluationRun* const run_;
  Mutex mutex_;
  EvaluationProgress progress_;
};

// Each batch's result, in the batches' order: floating-point sums depend on it. `task` is every
// batch's, but for the examples; what is done once is done in the first batch.
absl::StatusOr<std::vector<BatchResult>> RunPass(const ExamplesPass& pass, const BatchTask& task,
                                                 Told* told) {
  const uint64_t examples = pass.indices.size();
  const auto indices_of = [&](uint64_t batch) {
    const auto begin = pass.indices.begin() + static_cast<int64_t>(batch * kBatch);
    const auto end =
        pass.indices.begin() + static_cast<int64_t>(std::min(examples, (batch + 1) * kBatch));
    return std::vector<uint64_t>(begin, end);
  };
  BatchRun batches;
  batches.batches = (examples + kBatch - 1) / kBatch;
  batches.threads = pass.run->threads;
  batches.make_replica = pass.make_replica;
  batches.load = [&](uint64_t batch) {
    pass.device->PrepareThread();
    return LoadExamples(*pass.examples, indices_of(batch), *pass.device);
  };
  std::vector<BatchResult> results(batches.batches);
  batches.compute = [&](Replica& replica, const HostBatch& loaded, uint64_t batch) {
    BatchTask one = task;
    one.indices = indices_of(batch);
    if (batch > 0) {
      one.compare_passes = false;
      one.training_attack = nullptr;
    }
    results[batch] = EvaluateBatch(replica, loaded, one);
    told->OnBatch(one.indices.size(), results[batch]);
  };
  batches.go_on = pass.run->go_on;
  CONADV_RETURN_IF_ERROR(RunBatches(batches, *pass.device));
  return results;
}

struct Totals {
  int64_t right = 0;
  double loss = 0;
  std::vector<int64_t> standing;
  int64_t zero_gradients = 0;
};

Totals Sum(const std::vector<BatchResult>& results, size_t attacks) {
  Totals total;
  total.standing.resize(attacks);
  for (const BatchResult& result : results) {
    total.right += result.right;
    total.loss += result.loss;
    total.zero_gradients += result.zero_gradients;
    for (size_t i = 0; i < attacks; ++i) total.standing[i] += result.standing[i];
  }
  return total;
}

// What it is given outlives the answer.
std::function<std::unique_ptr<Replica>()> ReplicaMaker(const NetworkFactory& factory,
                                                       const std::shared_ptr<const Layout>& layout,
                                                       const std::shared_ptr<const Arena>& weights,
                                                       Pass pass, Device& device) {
  return [&factory, &layout, &weights, pass, &device] {
    auto replica = std::make_unique<Replica>(factory(), layout, pass, &device);
    replica->BindWeights(weights);
    return replica;
  };
}

double Share(int64_t count, uint64_t examples) {
  return static_cast<double>(count) / static_cast<double>(examples);
}

Evaluation Conclude(const std::vector<BatchResult>& results, uint64_t examples,
                    const std::vector<std::string>& attacks, const EvaluationRun& run) {
  const Totals total = Sum(results, attacks.size());
  Evaluation evaluation;
  evaluation.examples = examples;
  evaluation.clean_accuracy = Share(total.right, examples);
  evaluation.clean_loss = total.loss / static_cast<double>(examples);
  evaluation.robust = !attacks.empty();
  evaluation.overfitting = results.front().overfitting;
  if (evaluation.robust) {
    evaluation.robust_accuracy = Share(total.standing.back(), examples);
    EvaluationSigns signs;
    signs.examples = examples;
    signs.zero_gradients = static_cast<uint64_t>(total.zero_gradients);
    signs.pass_difference = results.front().pass_difference;
    for (size_t i = 0; i < attacks.size(); ++i) {
      signs.attacks.push_back({attacks[i], Share(total.standing[i], examples)});
    }
    evaluation.warnings = WarningsOf(signs);
    if (attacks.size() > 1) evaluation.attacks = std::move(signs.attacks);
  }
  if (evaluation.overfitting.has_value()) {
    std::string warning = OverfittingWarning(*evaluation.overfitting, run.best_alignment);
    if (!warning.empty()) evaluation.warnings.push_back(std::move(warning));
  }
  return evaluation;
}

}  // namespace

absl::StatusOr<Evaluation> Evaluate(const NetworkFactory& factory,
                                    const std::shared_ptr<const Layout>& layout,
                                    const std::shared_ptr<const Arena>& weights,
                                    const Dataset& test, Device& device,
                                    const EvaluationOptions& options, const EvaluationRun& run) {
  CHECK_GT(test.examples(), 0U);
  ExamplesPass pass;
  pass.make_replica = ReplicaMaker(factory, layout, weights, Pass::kEvaluate, device);
  pass.examples = &test;
  pass.indices = EvaluatedExamples(options, run.seed, test.examples());
  pass.device = &device;
  pass.run = &run;
  const bool robust = run.robust && options.attack_steps > 0;
  const std::vector<std::string> attacks =
      robust ? AttackNames(options) : std::vector<std::string>();
  Told told(&run, "clean", pass.indices.size());

  BatchTask task;
  if (robust) task.options = &options;
  task.seed = run.seed;
  task.compare_passes = robust;
  std::unique_ptr<Replica> adversary;
  if (run.training_attack.has_value()) {
    try {
      adversary = ReplicaMaker(factory, layout, weights, Pass::kAttack, device)();
    } catch (const std::exception& error) {
      return absl::InternalError(error.what());
    }
    task.training_attack = &*run.training_attack;
    task.adversary = adversary.get();
  }
  task.go_on = run.go_on;
  task.on_attack = [&](size_t attack) { told.OnStage(attacks[attack]); };
  CONADV_ASSIGN_OR_RETURN(const std::vector<BatchResult> results, RunPass(pass, task, &told));
  return Conclude(results, pass.indices.size(), attacks, run);
}

absl::StatusOr<std::vector<NamedAccuracy>> EvaluateCorruptions(
    const NetworkFactory& factory, const std::shared_ptr<const Layout>& layout,
    const std::shared_ptr<const Arena>& weights, const std::vector<CorruptedSet>& sets,
    Device& device, const EvaluationOptions& options, const EvaluationRun& run) {
  std::vector<NamedAccuracy> accuracies;
  for (const CorruptedSet& set : sets) {
    ExamplesPass pass;
    pass.make_replica = ReplicaMaker(factory, layout, weights, Pass::kEvaluate, device);
    pass.examples = set.examples.get();
    const uint64_t images = set.examples->examples() / set.severities;
    const std::vector<uint64_t> chosen = EvaluatedExamples(options, run.seed, images);
    for (uint64_t severity = 0; severity < set.severities; ++severity) {
      for (const uint64_t index : chosen) pass.indices.push_back(severity * images + index);
    }
    pass.device = &device;
    pass.run = &run;
    Told told(&run, set.name, pass.indices.size());
    const absl::StatusOr<std::vector<BatchResult>> results = RunPass(pass, BatchTask(), &told);
    if (!results.ok()) {
      return absl::Status(results.status().code(),
                          absl::StrCat(set.name, ": ", results.status().message()));
    }
    accuracies.push_back({set.name, Share(Sum(*results, 0).right, pass.indices.size())});
  }
  return accuracies;
}

}  // namespace conadv
