// SPDX-License-Identifier: Apache-2.0
// What an event costs the coordinator, by the number of workers, each with a slot.
#include "benchmark/benchmark.h"
#include "tests/bench/coordinator_load.h"

namespace conadv::bench {
namespace {

template <void (CoordinatorLoad::*event)()>
void Event(benchmark::State& state) {
  const auto workers = static_cast<uint32_t>(state.range(0));
  CoordinatorLoad run(workers, workers);
  for (auto _ : state) (run.*event)();
}

BENCHMARK(Event<&CoordinatorLoad::Done>)->Name("done")->RangeMultiplier(10)->Range(10, 10'000);
BENCHMARK(Event<&CoordinatorLoad::Heartbeat>)
    ->Name("heartbeat")
    ->RangeMultiplier(10)
    ->Range(10, 10'000);
BENCHMARK(Event<&CoordinatorLoad::Tick>)->Name("tick")->RangeMultiplier(10)->Range(10, 10'000);

}  // namespace
}  // namespace conadv::bench
