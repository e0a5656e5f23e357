// SPDX-License-Identifier: Apache-2.0
// Faults, done to the processes of a run from outside: the programs under test know nothing of
// them. Linux. One thread at a time.
#ifndef CONADV_TESTS_CHAOS_INJECTOR_H_
#define CONADV_TESTS_CHAOS_INJECTOR_H_

#include <sys/types.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "tests/chaos/fault_plan.h"

namespace conadv {

class Injector {
 public:
  // `train` is the process of `conadv train`, `checkpoints` its directory of checkpoints.
  Injector(pid_t train, std::string checkpoints, uint64_t seed)
      : train_(train), checkpoints_(std::move(checkpoints)), seed_(seed) {}
  // Whoever is stopped goes on.
  ~Injector();

  // UNAVAILABLE: the process, or what is to be damaged, is not there now.
  absl::Status Strike(const Fault& fault, absl::Time now);
  // Ends what lasts only a while.
  void Heal(absl::Time now);

 private:
  struct Passing {
    absl::Time until;
    FaultKind kind;
    pid_t process;  // kFreeze: the thread
  };

  absl::Status Corrupt(const std::string& server, pid_t process);

  const pid_t train_;
  const std::string checkpoints_;
  uint64_t seed_;
  std::vector<Passing> passing_;
};

}  // namespace conadv

#endif  // CONADV_TESTS_CHAOS_INJECTOR_H_
