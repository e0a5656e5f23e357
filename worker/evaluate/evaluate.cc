// SPDX-License-Identifier: Apache-2.0
#include "worker/evaluate/evaluate.h"

#include <torch/torch.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <future>
#include <numeric>
#include <thread>
#include <utility>
#include <vector>

#include "common/base/status_macros.h"
#include "common/thread/mutex.h"
#include "glog/logging.h"
#include "worker/attack/attack.h"
#include "worker/device/inputs.h"
#include "worker/model/replica.h"

namespace conadv {
namespace {

// Large enough that a convolution is busy, small enough that the activations stay in the cache.
constexpr uint64_t kBatch = 128;

struct BatchResult {
  int64_t right = 0;
  double loss = 0;  // sum
  int64_t robust = 0;
};

int64_t Right(const torch::Tensor& logits, const torch::Tensor& labels) {
  return logits.argmax(1).eq(labels).sum().item<int64_t>();
}

absl::StatusOr<HostBatch> LoadRange(const Dataset& test, uint64_t begin, uint64_t end,
                                    Device& device) {
  std::vector<uint64_t> indices(end - begin);
  std::iota(indices.begin(), indices.end(), begin);
  return LoadExamples(test, indices, device);
}

BatchResult EvaluateBatch(Replica& replica, const HostBatch& batch, int64_t classes,
                          const AttackOptions* attack) {
  const Inputs inputs = replica.device().PlaceInputs(batch);
  BatchResult result;
  torch::NoGradGuard no_grad;
  const torch::Tensor logits = replica.Forward(inputs.images);
  result.right = Right(logits, inputs.labels);
  result.loss = torch::nn::functional::cross_entropy(
                    logits, inputs.labels,
                    torch::nn::functional::CrossEntropyFuncOptions().reduction(torch::kSum))
                    .item<double>();
  if (attack != nullptr) {
    const torch::Tensor adversarial =
        MakeAdversarial(replica, inputs.images, inputs.labels, classes, *attack,
                        /*label_smoothing=*/0, AttackSeed());
    result.robust = Right(replica.Forward(adversarial), inputs.labels);
  }
  return result;
}

// Threads that are joined whatever happens.
class Runners {
 public:
  ~Runners() { Join(); }
  template <class Run>
  void Add(Run run) {
    threads_.emplace_back(std::move(run));
  }
  void Join() {
    for (std::thread& thread : std::exchange(threads_, {})) thread.join();
  }

 private:
  std::vector<std::thread> threads_;
};

using LoadOne = std::function<absl::StatusOr<HostBatch>(uint64_t batch)>;
using EvaluateOne = std::function<BatchResult(Replica&, const HostBatch&)>;

// Each batch's result, in the batches' order: floating-point sums depend on it. Each thread's next
// batch is loaded while it computes one. The first error of a batch; without the rest if `go_on` is
// false.
absl::StatusOr<std::vector<BatchResult>> RunBatches(
    uint64_t batches, int threads, Device& device,
    const std::function<std::unique_ptr<Replica>()>& make_replica, const LoadOne& load,
    const EvaluateOne& evaluate, const std::function<bool()>& go_on) {
  std::vector<BatchResult> results(batches);
  std::atomic<uint64_t> next{0};
  std::atomic<bool> over{false};  // before all batches are done
  Mutex mutex;
  absl::Status first_error;
  const auto stop = [&](const absl::Status& error) {
    over = true;
    MutexLock lock(&mutex);
    first_error.Update(error);
  };
  Runners runners;
  const auto wanted = std::min<uint64_t>(static_cast<uint64_t>(threads), batches);
  for (uint64_t i = 0; i < wanted; ++i) {
    // Made here, not in the thread: a factory is not thread-safe.
    auto replica = make_replica();
    runners.Add([&, replica = std::move(replica)] {
      try {
        device.PrepareThread();
        const auto begin_load = [&](uint64_t batch) {
          return batch < batches ? std::async(std::launch::async, load, batch)
                                 : std::future<absl::StatusOr<HostBatch>>();
        };
        uint64_t batch = next++;
        auto loading = begin_load(batch);
        while (loading.valid() && !over) {
          const absl::StatusOr<HostBatch> loaded = loading.get();
          if (!loaded.ok()) return stop(loaded.status());
          const uint64_t then = next++;
          loading = begin_load(then);
          results[batch] = evaluate(*replica, *loaded);
          if (!go_on()) over = true;
          batch = then;
        }
      } catch (const std::exception& error) {
        stop(absl::InternalError(error.what()));
      }
    });
  }
  runners.Join();
  CONADV_RETURN_IF_ERROR(first_error);
  return results;
}

}  // namespace

absl::StatusOr<Evaluation> Evaluate(const NetworkFactory& factory,
                                    const std::shared_ptr<const Layout>& layout,
                                    const std::shared_ptr<const Arena>& weights,
                                    const Dataset& test, Device& device,
                                    const EvaluationOptions& options, bool robust, int threads,
                                    const std::function<bool()>& go_on) {
  CHECK_GE(threads, 1);
  CHECK_GT(test.examples(), 0U);
  const uint64_t examples =
      options.limit == 0 ? test.examples() : std::min(options.limit, test.examples());
  AttackOptions attack;
  attack.step = AttackStep::kSign;
  attack.step_size = options.step_size;
  attack.epsilon = options.epsilon;
  attack.steps = options.attack_steps;
  robust = robust && options.attack_steps > 0;

  std::atomic<bool> cancelled{false};
  absl::StatusOr<std::vector<BatchResult>> results;
  try {
    results = RunBatches(
        (examples + kBatch - 1) / kBatch, threads, device,
        [&] {
          auto replica = std::make_unique<Replica>(factory(), layout, Pass::kEvaluate, &device);
          replica->BindWeights(weights);
          return replica;
        },
        [&](uint64_t batch) {
          device.PrepareThread();
          return LoadRange(test, batch * kBatch, std::min(examples, (batch + 1) * kBatch), device);
        },
        [&](Replica& replica, const HostBatch& batch) {
          return EvaluateBatch(replica, batch, test.classes(), robust ? &attack : nullptr);
        },
        [&] {
          const bool goes_on = go_on();
          if (!goes_on) cancelled = true;
          return goes_on;
        });
  } catch (const std::exception& error) {
    return absl::InternalError(error.what());
  }
  CONADV_RETURN_IF_ERROR(results.status());
  if (cancelled) return absl::CancelledError("told to stop");

  BatchResult total;
  for (const BatchResult& result : *results) {
    total.right += result.right;
    total.loss += result.loss;
    total.robust += result.robust;
  }
  const auto n = static_cast<double>(examples);
  Evaluation evaluation;
  evaluation.examples = examples;
  evaluation.clean_accuracy = static_cast<double>(total.right) / n;
  evaluation.clean_loss = total.loss / n;
  evaluation.robust = robust;
  evaluation.robust_accuracy = robust ? static_cast<double>(total.robust) / n : 0;
  return evaluation;
}

}  // namespace conadv
