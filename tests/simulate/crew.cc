// SPDX-License-Identifier: Apache-2.0
#include "tests/simulate/crew.h"

#include <atomic>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "common/wire/channel.h"
#include "worker/member/member.h"
#include "worker/member/transports.h"
#include "worker/simulate/simulated_worker.h"

namespace conadv {
namespace {

constexpr absl::Duration kConnect = absl::Seconds(60);

absl::Status RunWorker(const CrewOptions& options, const std::string& name,
                       const std::function<bool()>& stopped) {
  CoordinatorClient coordinator(MakeChannel(options.coordinator), options.coordinator);
  CONADV_ASSIGN_OR_RETURN(const RunInfo run, coordinator.GetRun(kConnect, stopped));
  CONADV_ASSIGN_OR_RETURN(TrainingSetup setup, SimulateSetup(run, options.simulation));
  const WorkerTransports transports(options.shared_memory, options.overlap);
  ShardClients clients(transports.list(), run.servers, setup.layout->hash(), name,
                       transports.gradients());
  const auto role = MakeSimulatedTrainer(std::move(setup), name, options.simulation, &clients);
  MemberOptions member_options;
  member_options.connect_timeout = kConnect;
  Member member(run, &coordinator, role.get(), clients.timer(), clients.statistics(), stopped,
                member_options);
  const absl::Status status = member.Run();
  role->Stop();
  return status;
}

}  // namespace

absl::Status RunCrew(const CrewOptions& options, const std::function<bool()>& stopped) {
  std::atomic<bool> failed{false};
  std::vector<absl::Status> ends(static_cast<size_t>(options.workers));
  std::vector<std::thread> threads;
  for (int i = 0; i < options.workers; ++i) {
    threads.emplace_back([&, i] {
      ends[i] = RunWorker(options, absl::StrCat(options.name, "-", i),
                          [&] { return failed || stopped(); });
      if (!ends[i].ok()) failed = true;
    });
  }
  absl::Status first;
  for (size_t i = 0; i < threads.size(); ++i) {
    threads[i].join();
    first.Update(ends[i]);
  }
  return first;
}

}  // namespace conadv
