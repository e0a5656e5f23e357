// SPDX-License-Identifier: Apache-2.0
#include "worker/simulate/simulated_worker.h"

#include <map>
#include <utility>

#include "common/base/status_macros.h"
#include "common/plan/simulated_plan.h"
#include "common/plan/tensor_rules.h"
#include "common/thread/mutex.h"
#include "worker/member/trainer.h"
#include "worker/simulate/simulated_compute.h"

namespace conadv {
namespace {

constexpr uint64_t kExamples = 60'000;

// One for all who have this memory: arenas may go back after the worker that took them.
SimulatedGradientMemory* GradientMemory(ArenaAllocator* base) {
  static auto* const mutex = new Mutex();
  static auto* const memories = new std::map<ArenaAllocator*, SimulatedGradientMemory>();
  MutexLock lock(mutex);
  return &memories->try_emplace(base, base).first->second;
}

}  // namespace

absl::StatusOr<TrainingSetup> SimulateSetup(RunInfo run, const Simulation& simulation) {
  const Job& job = run.job;
  auto plan = std::make_shared<Plan>();
  plan->tensors = SimulatedTensors(simulation.parameters);
  CONADV_RETURN_IF_ERROR(CheckTensorRules(job.optimizer, plan->tensors));
  plan->examples = job.dataset.limit > 0 ? job.dataset.limit : kExamples;
  plan->steps = StepsOf(job.training, plan->examples);
  CONADV_ASSIGN_OR_RETURN(Layout layout,
                          Layout::Create(plan->tensors, static_cast<uint32_t>(run.servers.size())));
  auto weights = std::make_shared<Arena>(layout.total_size());
  weights->Zero();
  plan->initial_weights_crc32c = WeightsCrc32c(layout, weights->span());
  TrainingSetup setup;
  setup.run = std::move(run);
  setup.layout = std::make_shared<const Layout>(std::move(layout));
  setup.plan = std::move(plan);
  setup.initial_weights = std::move(weights);
  return setup;
}

std::unique_ptr<MemberRole> MakeSimulatedTrainer(TrainingSetup setup, const std::string& name,
                                                 const Simulation& simulation,
                                                 ShardClients* clients) {
  TrainerParts parts;
  parts.name = name;
  parts.lanes = simulation.lanes;
  parts.compute = std::make_unique<SimulatedCompute>(simulation, StreamsOf(setup.run.job.training),
                                                     setup.layout, clients->timer());
  parts.gradients = GradientMemory(clients->gradients());
  return std::make_unique<Trainer>(std::move(setup), std::move(parts), clients);
}

}  // namespace conadv
