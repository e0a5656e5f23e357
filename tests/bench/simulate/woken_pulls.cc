// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/simulate/woken_pulls.h"

#include <algorithm>
#include <future>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "client/grpc/grpc_transport.h"
#include "common/base/clock.h"
#include "common/plan/simulated_plan.h"
#include "tests/bench/simulate/cluster.h"
#include "tests/bench/table/row.h"

namespace conadv::bench {
namespace {

constexpr absl::Duration kPatienceWithPulls = absl::Minutes(1);
constexpr uint64_t kParameters = 1000;
constexpr uint64_t kWarmUp = 100;
constexpr uint64_t kSteps = 400;

// Pulls that are asked for one version after the other; none is asked for before all have the one
// before, so that asking takes nothing from those that are being woken.
class Pullers {
 public:
  Pullers(const std::string& address, int pulls)
      : layout_(*Layout::Create(SimulatedTensors(kParameters), 1)) {
    for (int i = 0; i < pulls; ++i) {
      clients_.push_back(
          GrpcTransport().Connect({address, layout_.hash(), absl::StrCat("puller-", i)}));
      arenas_.push_back(std::make_unique<Arena>(layout_.total_size()));
    }
    thread_ = std::thread([this] { PullAll(); });
  }

  // When the last of them had each version, by the calendar.
  std::map<uint64_t, absl::Time> Times() {
    thread_.join();
    return times_;
  }

 private:
  void PullAll() {
    for (Version version(1); version.value() <= kSteps; version = version + 1) {
      std::vector<std::promise<absl::Time>> woken(clients_.size());
      for (size_t i = 0; i < clients_.size(); ++i) {
        clients_[i]->Pull(
            PullSelector::Exactly(version), kPatienceWithPulls,
            [this, i](Version) { return arenas_[i]->span(); },
            [&woken, i](const absl::StatusOr<PulledShard>& pulled) {
              // Too late for this one: its time says nothing.
              const bool late = absl::IsOutOfRange(pulled.status());
              if (!late) OrDie(pulled);
              woken[i].set_value(late ? absl::InfiniteFuture() : Clock::Real().WallNow());
            });
      }
      absl::Time& last = times_[version.value()];
      last = absl::InfinitePast();
      for (std::promise<absl::Time>& time : woken) {
        last = std::max(last, time.get_future().get());
      }
    }
  }

  const Layout layout_;
  std::vector<std::unique_ptr<Arena>> arenas_;
  std::vector<std::unique_ptr<ParameterClient>> clients_;
  std::map<uint64_t, absl::Time> times_;
  std::thread thread_;
};

}  // namespace

double WakePulls(int pulls) {
  ClusterOptions options;
  // Longer than it takes to ask for the next.
  options.simulate = absl::StrCat("clean=8ms,lanes=1,parameters=", kParameters);
  options.steps = kSteps;
  std::unique_ptr<Pullers> pullers;
  std::map<uint64_t, absl::Time> times;
  options.started = [&](const std::string& address) {
    pullers = std::make_unique<Pullers>(address, pulls);
  };
  options.over = [&] { times = pullers->Times(); };
  const ClusterResult result = RunCluster(options);
  std::vector<double> waits;
  for (const auto& [version, published] : result.published) {
    if (version > kWarmUp) waits.push_back(absl::ToDoubleSeconds(times[version] - published));
  }
  return Median(std::move(waits));
}

}  // namespace conadv::bench
