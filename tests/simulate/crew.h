// SPDX-License-Identifier: Apache-2.0
// Simulated workers in this process, each with a thread, threads that compute and connections of
// its own, as if it were a process.
#ifndef CONADV_TESTS_SIMULATE_CREW_H_
#define CONADV_TESTS_SIMULATE_CREW_H_

#include <functional>
#include <string>

#include "absl/status/status.h"
#include "worker/simulate/simulation.h"

namespace conadv {

struct CrewOptions {
  std::string coordinator;  // HOST:PORT
  Simulation simulation;
  int workers = 1;
  bool shared_memory = true;       // where the servers are on this machine
  bool overlap = true;             // of gradients and their pass
  std::string name = "simulated";  // the workers' are this, "-" and a number
};

// Until the run is over or `stopped`, which is asked now and then, says so. The first error there
// is; then the others are told to stop.
absl::Status RunCrew(const CrewOptions& options, const std::function<bool()>& stopped);

}  // namespace conadv

#endif  // CONADV_TESTS_SIMULATE_CREW_H_
