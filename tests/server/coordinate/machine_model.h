// SPDX-License-Identifier: Apache-2.0
// A run that the coordinator's machine and a model of its members play, by a seed: workers join,
// work, fail, freeze and vanish, an evaluator evaluates, a disk writes. Every action is held
// against what the members know.
#ifndef CONADV_TESTS_SERVER_COORDINATE_MACHINE_MODEL_H_
#define CONADV_TESTS_SERVER_COORDINATE_MACHINE_MODEL_H_

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "common/base/random.h"
#include "server/coordinate/machine.h"

namespace conadv {

class MachineModel {
 public:
  struct Options {
    uint64_t seed = 1;
    size_t workers = 4;  // that there are at first, and about as many all the time
    uint64_t steps = 8;
    uint32_t slots = 4;
  };
  explicit MachineModel(const Options& options);

  // Plays until the run is over, for at most `events`.
  void Play(uint64_t events);
  // One event of any kind.
  void Once();

  const CoordinatorMachine& machine() const { return machine_; }
  CoordinatorMachine& machine() { return machine_; }
  absl::Time now() const { return now_; }
  uint64_t units_done() const { return done_.size(); }
  // The first thing that was wrong; empty if nothing was.
  const std::string& wrong() const { return wrong_; }
  // Of every action so far.
  uint64_t digest() const { return digest_; }

  // The event and everything that comes of it.
  absl::Status Step(Event event);

 private:
  struct Worker {
    std::deque<Unit> held;
    bool frozen = false;
    bool leaves = false;  // it knows that the run is over
    absl::Time answered;  // or joined
  };

  static CoordinatorOptions OptionsOf(const Options& options);
  void Do(const Action& action);
  void Grant(Worker& worker, MemberId id, const std::vector<Unit>& units);
  void Tick();
  void Join();
  void Work(MemberId id, Worker& worker);
  void Fail(MemberId id, Worker& worker);
  void Vanish(MemberId id);
  void Evaluate();
  void Write();
  // The unit is done, before anyone hears of it.
  void Count(const Unit& unit);
  void Wrong(const std::string& what);
  void Mix(uint64_t value);
  std::map<MemberId, Worker>::iterator Any();

  const Options options_;
  absl::Time now_ = absl::UnixEpoch() + absl::Hours(1);
  Random random_;
  CoordinatorMachine machine_;
  MemberId shard_;
  std::map<MemberId, Worker> workers_;
  std::vector<MemberId> order_;  // of workers_, for a choice by number
  std::optional<MemberId> evaluator_;
  std::optional<Version> evaluates_;
  bool evaluator_leaves_ = false;
  std::optional<MemberId> offers_;
  std::deque<Version> writes_;
  std::map<Unit, std::set<MemberId>> holders_;  // who have not answered; some are gone
  std::set<Unit> done_;
  std::map<uint64_t, uint32_t> done_of_step_;  // of steps that are not complete
  uint64_t complete_ = 0;                      // steps, all before it too
  std::set<Unit> failed_;
  std::string wrong_;
  uint64_t digest_ = 0;
};

}  // namespace conadv

#endif  // CONADV_TESTS_SERVER_COORDINATE_MACHINE_MODEL_H_
