// SPDX-License-Identifier: Apache-2.0
// What an event costs the coordinator, by the number of workers: each holds its units, finishes one
// and is granted another.
#include <deque>
#include <utility>
#include <variant>

#include "benchmark/benchmark.h"
#include "server/coordinate/machine.h"

namespace conadv {
namespace {

class Run {
 public:
  explicit Run(uint32_t workers) : workers_(workers), machine_(OptionsOf(workers), now_) {
    HelloMessage shard;
    shard.role = Role::kShard;
    shard.address = "127.0.0.1:1";
    shard.local = true;
    Step(JoinEvent{shard});
    Step(RestoredEvent{MemberId(1), absl::OkStatus(), std::nullopt});
    HelloMessage worker;
    worker.plan.emplace();
    worker.plan->tensors = {{"weight", {4, 4}}};
    worker.plan->examples = 8 * workers;
    worker.plan->steps = kSteps;
    for (uint32_t i = 0; i < workers; ++i) Step(JoinEvent{worker});
    Step(OfferedEvent{MemberId(2)});
  }

  // The next unit is done.
  void Done() {
    const auto [id, unit] = granted_.front();
    granted_.pop_front();
    Step(DoneEvent{id, {unit}});
  }
  void Heartbeat() { Step(HeartbeatEvent{MemberId(2 + beats_++ % workers_), beats_}); }
  void Tick() { Step(TickEvent{}); }

 private:
  static constexpr uint64_t kSteps = uint64_t{1} << 40;

  static CoordinatorOptions OptionsOf(uint32_t workers) {
    CoordinatorOptions options;
    options.job.training.global_batch = 8 * workers;
    options.job.training.slots = workers;
    options.job.training.steps = kSteps;
    options.job.training.tau = 1;
    options.job.server.lease = absl::Hours(1);
    return options;
  }

  void Step(Event event) {
    now_ += absl::Microseconds(1);
    const CoordinatorMachine::Output output = machine_.Step(std::move(event), now_);
    for (const Action& action : output.actions) {
      const auto* const send = std::get_if<SendAction>(&action);
      if (send == nullptr) continue;
      const auto* const grant = std::get_if<GrantMessage>(&send->message);
      if (grant == nullptr) continue;
      for (const Unit& unit : grant->units) granted_.emplace_back(send->to, unit);
    }
  }

  const uint32_t workers_;
  absl::Time now_ = absl::UnixEpoch();
  CoordinatorMachine machine_;
  std::deque<std::pair<MemberId, Unit>> granted_;
  uint64_t beats_ = 0;
};

template <void (Run::*event)()>
void Event(benchmark::State& state) {
  Run run(static_cast<uint32_t>(state.range(0)));
  for (auto _ : state) (run.*event)();
}

BENCHMARK(Event<&Run::Done>)->Name("done")->RangeMultiplier(10)->Range(10, 10'000);
BENCHMARK(Event<&Run::Heartbeat>)->Name("heartbeat")->RangeMultiplier(10)->Range(10, 10'000);
BENCHMARK(Event<&Run::Tick>)->Name("tick")->RangeMultiplier(10)->Range(10, 10'000);

}  // namespace
}  // namespace conadv
