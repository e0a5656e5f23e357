// SPDX-License-Identifier: Apache-2.0
// A coordinator's machine alone with so many workers: each holds its units, finishes one and is
// granted another. No network, no threads.
#ifndef CONADV_TESTS_BENCH_COORDINATOR_LOAD_H_
#define CONADV_TESTS_BENCH_COORDINATOR_LOAD_H_

#include <cstdint>
#include <deque>
#include <utility>
#include <variant>

#include "server/coordinate/machine.h"

namespace conadv::bench {

class CoordinatorLoad {
 public:
  // `slots` of a step.
  CoordinatorLoad(uint32_t workers, uint32_t slots)
      : workers_(workers), machine_(OptionsOf(slots), now_) {
    HelloMessage shard;
    shard.role = Role::kShard;
    shard.address = "127.0.0.1:1";
    shard.local = true;
    Step(JoinEvent{shard});
    Step(RestoredEvent{MemberId(1), absl::OkStatus(), std::nullopt});
    HelloMessage worker;
    worker.plan.emplace();
    worker.plan->tensors = {{"weight", {4, 4}}};
    worker.plan->examples = 8 * slots;
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

  static CoordinatorOptions OptionsOf(uint32_t slots) {
    CoordinatorOptions options;
    options.job.training.global_batch = 8 * slots;
    options.job.training.slots = slots;
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

}  // namespace conadv::bench

#endif  // CONADV_TESTS_BENCH_COORDINATOR_LOAD_H_
