// SPDX-License-Identifier: Apache-2.0
// Who gets the next unit: a few cases by hand, and many against the rule looked up one by one.
#include "server/lease/worker_loads.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <vector>

#include "server/lease/lease_options.h"

namespace conadv {
namespace {

const MemberId kOne(1);
const MemberId kOther(2);

struct Worker {
  MemberId id;
  uint32_t threads = 1;
  uint64_t held = 0;
  bool straggles = false;
};

WorkerLoads LoadsOf(const std::vector<Worker>& workers) {
  WorkerLoads loads;
  for (const Worker& worker : workers) {
    loads.Add(worker.id, worker.threads);
    for (uint64_t i = 0; i < worker.held; ++i) loads.Take(worker.id);
    loads.SetStraggles(worker.id, worker.straggles);
  }
  return loads;
}

// The same by a look at each.
class Plain {
 public:
  explicit Plain(const std::vector<Worker>& workers) : workers_(workers) {}

  std::optional<MemberId> Next(const TrainingOptions& training, const LeaseOptions& options) const {
    const bool choice = std::any_of(workers_.begin(), workers_.end(),
                                    [](const Worker& worker) { return !worker.straggles; });
    return Least([&](const Worker& worker) {
      return !(choice && worker.straggles) && worker.held < Most(training, options, worker);
    });
  }
  std::optional<MemberId> Another(MemberId not_this) const {
    if (workers_.empty()) return std::nullopt;
    const auto best = Least([&](const Worker& worker) { return worker.id != not_this; });
    return best.has_value() ? best : not_this;
  }
  std::optional<MemberId> Substitute(const std::set<MemberId>& holders) const {
    return Least(
        [&](const Worker& worker) { return !worker.straggles && holders.count(worker.id) == 0; });
  }

 private:
  uint64_t Most(const TrainingOptions& training, const LeaseOptions& options,
                const Worker& worker) const {
    if (!training.sync()) return 2 * uint64_t{worker.threads};
    uint64_t threads = 0;
    for (const Worker& other : workers_) threads += other.threads;
    return ((options.window + 1) * options.slots * worker.threads + threads - 1) / threads;
  }
  template <class May>
  std::optional<MemberId> Least(const May& may) const {
    const Worker* best = nullptr;
    for (const Worker& worker : workers_) {
      if (!may(worker)) continue;
      if (best == nullptr || worker.held * best->threads < best->held * worker.threads) {
        best = &worker;
      }
    }
    return best == nullptr ? std::nullopt : std::optional<MemberId>(best->id);
  }

  const std::vector<Worker>& workers_;
};

class WorkerLoadsTest : public ::testing::Test {
 protected:
  WorkerLoadsTest() {
    job_.training.slots = 8;
    job_.training.tau = 1;
  }
  // SYNC: 3 steps are leased ahead, 24 units.
  LeaseOptions Options() const { return LeaseOptionsOf(job_, 1, 100); }
  std::optional<MemberId> Next(const std::vector<Worker>& workers) const {
    return LoadsOf(workers).Next(job_.training, Options());
  }

  Job job_;
};

TEST_F(WorkerLoadsTest, TheLeastLoadedForItsThreadsIsNext) {
  EXPECT_EQ(Next({{kOne, 1, 1}, {kOther, 1, 0}}), kOther);
  EXPECT_EQ(Next({{kOne, 1, 1}, {kOther, 1, 1}}), kOne);
  EXPECT_EQ(Next({{kOne, 1, 1}, {kOther, 4, 2}}), kOther);
  EXPECT_EQ(Next({}), std::nullopt);
}

TEST_F(WorkerLoadsTest, AStragglerGetsNothingWhileThereIsAnother) {
  EXPECT_EQ(Next({{kOne, 1, 0, true}, {kOther, 1, 3}}), kOther);
  EXPECT_EQ(Next({{kOne, 1, 0, true}}), kOne);
  const WorkerLoads loads = LoadsOf({{kOne, 1, 0, true}, {kOther, 1, 3}});
  EXPECT_EQ(loads.Substitute({kOne}), kOther);
  EXPECT_EQ(loads.Substitute({kOther}), std::nullopt);
}

TEST_F(WorkerLoadsTest, AWorkerHoldsItsShareOfTheWindow) {
  const uint64_t units = (Options().window + 1) * 8;
  EXPECT_EQ(Next({{kOne, 1, units / 4}, {kOther, 3, units * 3 / 4 - 1}}), kOther);
  EXPECT_EQ(Next({{kOne, 1, units / 4}, {kOther, 3, units * 3 / 4}}), std::nullopt);
  job_.training.consistency = Consistency::kAsync;
  EXPECT_EQ(Next({{kOne, 1, 2}, {kOther, 3, 5}}), kOther);
  EXPECT_EQ(Next({{kOne, 1, 2}, {kOther, 3, 6}}), std::nullopt);
}

TEST_F(WorkerLoadsTest, AThousandWorkersGetWhatALookAtEachWouldGiveThem) {
  std::mt19937_64 random(7);
  std::vector<Worker> workers;  // by rising id
  WorkerLoads loads;
  uint64_t last_id = 0;
  const auto join = [&] {
    workers.push_back({MemberId(++last_id), static_cast<uint32_t>(1 + random() % 8)});
    loads.Add(workers.back().id, workers.back().threads);
  };
  for (int i = 0; i < 1000; ++i) join();
  job_.training.slots = 4096;
  for (int event = 0; event < 20'000; ++event) {
    const size_t i = random() % workers.size();
    Worker& worker = workers[i];
    switch (random() % 16) {
      case 0:
        loads.Remove(worker.id);
        workers.erase(workers.begin() + static_cast<int64_t>(i));
        join();
        break;
      case 1:
      case 2:
        worker.straggles = random() % 8 == 0;
        loads.SetStraggles(worker.id, worker.straggles);
        break;
      case 3:
      case 4:
      case 5:
        if (worker.held == 0) break;
        --worker.held;
        loads.GiveBack(worker.id);
        break;
      default: ++worker.held; loads.Take(worker.id);
    }
    if (event % 20 != 0) continue;
    job_.training.consistency = event % 40 == 0 ? Consistency::kSync : Consistency::kAsync;
    const Plain plain(workers);
    ASSERT_EQ(loads.Next(job_.training, Options()), plain.Next(job_.training, Options())) << event;
    const MemberId not_this = workers[random() % workers.size()].id;
    ASSERT_EQ(loads.Another(not_this), plain.Another(not_this)) << event;
    ASSERT_EQ(loads.Another(*plain.Another(MemberId(0))),
              plain.Another(*plain.Another(MemberId(0))));
    std::set<MemberId> holders;
    for (int n = 0; n < 3; ++n) {
      const auto next = plain.Substitute(holders);
      ASSERT_EQ(loads.Substitute(holders), next) << event;
      if (next.has_value()) holders.insert(*next);
    }
  }
}

// How often each comes in so many turns.
std::map<MemberId, int> Turns(int turns, WorkerLoads* loads) {
  std::map<MemberId, int> count;
  for (int i = 0; i < turns; ++i) {
    const MemberId next = *loads->NextInTurn();
    loads->EndTurn(next);
    ++count[next];
  }
  return count;
}

TEST(WorkerLoads, TurnsGoByThreadsWhateverIsHeld) {
  WorkerLoads loads = LoadsOf({{kOne, 1, 7}, {kOther, 3}});
  EXPECT_EQ(Turns(8, &loads), (std::map<MemberId, int>{{kOne, 2}, {kOther, 6}}));
}

TEST(WorkerLoads, WhoComesOrComesBackMakesUpForNoTurns) {
  const MemberId late(3);
  WorkerLoads loads = LoadsOf({{kOne}, {kOther}});
  Turns(100, &loads);
  loads.Add(late, 1);
  EXPECT_EQ(Turns(6, &loads), (std::map<MemberId, int>{{kOne, 2}, {kOther, 2}, {late, 2}}));
  loads.SetStraggles(kOne, true);
  EXPECT_EQ(Turns(100, &loads), (std::map<MemberId, int>{{kOther, 50}, {late, 50}}));
  loads.SetStraggles(kOne, false);
  EXPECT_EQ(Turns(6, &loads), (std::map<MemberId, int>{{kOne, 2}, {kOther, 2}, {late, 2}}));
}

TEST(WorkerLoads, NobodyHasATurnWhereNobodyIs) {
  WorkerLoads loads;
  EXPECT_EQ(loads.NextInTurn(), std::nullopt);
  loads.EndTurn(kOne);
  loads.Add(kOne, 1);
  loads.SetStraggles(kOne, true);
  EXPECT_EQ(loads.NextInTurn(), kOne);
}

}  // namespace
}  // namespace conadv
