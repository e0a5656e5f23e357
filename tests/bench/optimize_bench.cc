// SPDX-License-Identifier: Apache-2.0
// Parameters a second of each rule on one core: 16M parameters in tensors of 1M, both streams, out
// of place.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "benchmark/benchmark.h"
#include "common/base/random.h"
#include "common/tensor/arena.h"
#include "common/tensor/layout.h"
#include "server/optimize/optimizer.h"
#include "server/snapshot/average.h"

namespace conadv {
namespace {

constexpr uint64_t kTensorSize = 1 << 20;
constexpr int kTensors = 16;

void FillRandom(Arena* arena) {
  Random random(1, Purpose::kInitialWeights);
  for (float& value : arena->span()) value = random.NextFloat() - 0.5F;
}

// A model's tensors are all WEIGHTs here: what costs most in LARS and LAMB.
void Apply(benchmark::State& state, const OptimizerOptions& options, bool adversarial) {
  std::vector<TensorSpec> tensors;
  for (int t = 0; t < kTensors; ++t) {
    tensors.push_back({"t" + std::to_string(t), {kTensorSize}, TensorKind::kWeight});
  }
  const Layout layout = Layout::Create(tensors, 1).value();
  const auto optimizer = MakeOptimizer(options, layout, 0, 0);
  std::vector<std::unique_ptr<Arena>> arenas;
  for (int i = 0; i < 4; ++i) {
    arenas.push_back(std::make_unique<Arena>(layout.arena_size(0)));
    FillRandom(arenas.back().get());
  }
  Update update;
  update.streams = {{arenas[2]->data(), 1, 1}};
  if (adversarial) {
    update.streams.push_back({arenas[3]->data(), 1, 1, Branch::kAuxiliary});
  }
  update.rate = 1e-3F;
  for (auto _ : state) {
    update.weights = arenas[0]->data();
    std::vector<Measured> measured;
    if (options.global_clip_norm > 0) {
      measured = optimizer->MeasureGradient(update);
      update.measured = &measured;
      update.gradient_scale = 0.5F;
    }
    benchmark::DoNotOptimize(optimizer->Apply(update, arenas[1]->data()));
    std::swap(arenas[0], arenas[1]);
  }
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(layout.arena_size(0)));
}

void Average(benchmark::State& state) {
  constexpr size_t kSize = kTensors * kTensorSize;
  Arena average(kSize), weights(kSize), next(kSize);
  for (Arena* arena : {&average, &weights}) FillRandom(arena);
  for (auto _ : state) {
    MoveAverage(0.999F, average.data(), weights.data(), kSize, next.data());
    benchmark::DoNotOptimize(next.data());
  }
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(kSize));
}
BENCHMARK(Average)->Unit(benchmark::kMillisecond);

const OptimizerOptions kSgd{SgdOptions{0.9F, false, 1e-4F}, 0, 0, {}, {}};
const OptimizerOptions kClippedSgd{SgdOptions{0.9F, false, 1e-4F}, 1, 0, {}, {}};
const OptimizerOptions kGloballyClippedSgd{SgdOptions{0.9F, false, 1e-4F}, 0, 1, {}, {}};
const OptimizerOptions kGloballyClippedLars{LarsOptions{0.001F, 0.9F, 1e-4F}, 0, 1, {}, {}};

BENCHMARK_CAPTURE(Apply, sgd_one_stream, kSgd, false)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(Apply, sgd, kSgd, true)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(Apply, sgd_clipped, kClippedSgd, true)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(Apply, sgd_clipped_globally, kGloballyClippedSgd, true)
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(Apply, lars, OptimizerOptions{LarsOptions{0.001F, 0.9F, 1e-4F}, 0, 0, {}, {}},
                  true)
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(Apply, lars_clipped_globally, kGloballyClippedLars, true)
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(Apply, adamw,
                  OptimizerOptions{AdamWOptions{0.9F, 0.999F, 1e-8F, 0.01F}, 0, 0, {}, {}}, true)
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(Apply, lamb,
                  OptimizerOptions{LambOptions{0.9F, 0.999F, 1e-6F, 0.01F}, 0, 0, {}, {}}, true)
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace conadv
