// SPDX-License-Identifier: Apache-2.0
// The updates' rows: momentum SGD and LARS on two threads, beside the same loop written by hand.
#include <algorithm>
#include <chrono>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/flags/usage.h"
#include "absl/strings/str_cat.h"
#include "common/tensor/arena.h"
#include "common/tensor/layout.h"
#include "common/thread/parallel_for.h"
#include "common/thread/thread_pool.h"
#include "server/optimize/optimizer.h"
#include "tests/bench/table/row.h"
#include "tests/bench/update/by_hand.h"

ABSL_FLAG(int, rounds, 7, "samples of each figure");
ABSL_FLAG(int, tensors, 24, "tensors of a million parameters");
ABSL_FLAG(int, threads, 2, "threads, of both");

namespace conadv::bench {
namespace {

constexpr size_t kTensor = 1 << 20;

// θ, two streams' sums, the momentum of the loop by hand, and θ'.
struct Arrays {
  explicit Arrays(size_t size) {
    for (auto& array : all) {
      array = std::make_unique<Arena>(size);
      for (size_t i = 0; i < size; ++i) array->data()[i] = 1e-3F * static_cast<float>(i % 1000 + 1);
    }
  }
  std::unique_ptr<Arena> all[5];
};

double Seconds(const std::function<void()>& run) {
  const auto begin = std::chrono::steady_clock::now();
  run();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

class Updates {
 public:
  Updates(size_t tensors, int threads)
      : tensors_(tensors), arrays_(tensors * kTensor), pool_(threads) {
    std::vector<TensorSpec> specs;
    for (size_t t = 0; t < tensors; ++t) specs.push_back({absl::StrCat("t", t), {kTensor}});
    layout_ = std::make_unique<Layout>(*Layout::Create(specs, 1));
  }

  std::unique_ptr<Optimizer> Make(const OptimizerOptions& options) {
    return MakeOptimizer(options, *layout_, 0, 0, &pool_);
  }

  double Ours(Optimizer* optimizer) {
    Update update;
    update.weights = arrays_.all[0]->data();
    update.streams = {{arrays_.all[1]->data(), 1, 1},
                      {arrays_.all[2]->data(), 1, 1, Branch::kAuxiliary}};
    update.rate = 1e-3F;
    return OnThePool([&] { optimizer->Apply(update, arrays_.all[4]->data()); });
  }

  double ByHandOf(void (*loop)(const ByHand&)) {
    return OnThePool([&] {
      ParallelFor(&pool_, tensors_, [&](size_t t) {
        const size_t at = t * kTensor;
        loop({arrays_.all[0]->data() + at, arrays_.all[1]->data() + at, arrays_.all[2]->data() + at,
              arrays_.all[3]->data() + at, arrays_.all[4]->data() + at, kTensor, 1e-3F, 0.9F, 1e-4F,
              0.001F});
      });
    });
  }

 private:
  // As a server's update is a task of its pool.
  double OnThePool(const std::function<void()>& run) {
    return Seconds([&] {
      Mutex mutex;
      CondVar changed;
      bool done = false;
      pool_.Submit([&] {
        run();
        MutexLock lock(&mutex);
        done = true;
        changed.NotifyAll();
      });
      MutexLock lock(&mutex);
      while (!done) changed.Wait(&mutex);
    });
  }

  const size_t tensors_;
  Arrays arrays_;
  ThreadPool pool_;
  std::unique_ptr<Layout> layout_;
};

int Main() {
  const int threads = absl::GetFlag(FLAGS_threads);
  const auto tensors = static_cast<size_t>(absl::GetFlag(FLAGS_tensors));
  Updates updates(tensors, threads);
  const auto sgd = updates.Make({SgdOptions{0.9F, false, 1e-4F}, 0, 0, {}, {}});
  const auto lars = updates.Make({LarsOptions{0.001F, 0.9F, 1e-4F}, 0, 0, {}, {}});
  const auto seen =
      Interleave(absl::GetFlag(FLAGS_rounds), {
                                                  [&] { return updates.Ours(sgd.get()); },
                                                  [&] { return updates.ByHandOf(&SgdByHand); },
                                                  [&] { return updates.Ours(lars.get()); },
                                                  [&] { return updates.ByHandOf(&LarsByHand); },
                                              });
  const auto rates = [&](size_t i) {
    std::vector<double> result;
    for (const double seconds : seen[i]) {
      result.push_back(1e-9 * static_cast<double>(tensors * kTensor) / seconds);
    }
    return result;
  };
  const std::string suffix = absl::StrCat(" update, two streams, ", threads, " threads");
  Print({"momentum SGD" + suffix, "Gparam/s", "a loop written for it", rates(0), rates(1), 0.9,
         false, ""});
  Print({"LARS" + suffix, "Gparam/s", "two loops written for it", rates(2), rates(3), 0.9, false,
         ""});
  return 0;
}

}  // namespace
}  // namespace conadv::bench

int main(int argc, char** argv) {
  absl::SetProgramUsageMessage("Updates beside loops written for one optimizer.");
  absl::ParseCommandLine(argc, argv);
  return conadv::bench::Main();
}
