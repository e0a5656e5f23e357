// SPDX-License-Identifier: Apache-2.0
// A run of real processes on this machine, a server and simulated workers, and what it took. The
// program ends with a message where something fails. Linux.
#ifndef CONADV_TESTS_BENCH_SIMULATE_CLUSTER_H_
#define CONADV_TESTS_BENCH_SIMULATE_CLUSTER_H_

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "conadv/v1/job.pb.h"

namespace conadv::bench {

template <class T>
T OrDie(absl::StatusOr<T> result) {
  if (!result.ok()) {
    std::fprintf(stderr, "%s\n", result.status().ToString().c_str());
    std::exit(1);
  }
  return *std::move(result);
}

struct ClusterOptions {
  v1::Training::Algorithm algorithm = v1::Training::VANILLA;
  uint32_t tau = 0;
  std::string simulate;  // as conadv-worker's
  uint32_t processes = 1;
  uint32_t workers = 1;  // of each process; together they have a slot each
  uint64_t steps = 10;
  uint64_t warm_up = 3;          // the first steps, which are not counted
  absl::Duration network_delay;  // of every byte, each way
  bool shared_memory = true;     // as workers choose by themselves; never with a delay
  bool overlap = true;           // gradients leave during their pass, where they take the network
  int server_core = -1;          // the only one that the server has; -1: all
  // Called with the server's address once it listens, and when the run is over, before it ends.
  std::function<void(const std::string& address)> started = [](const std::string&) {};
  std::function<void()> over = [] {};
};

struct ClusterResult {
  std::map<uint64_t, absl::Time> published;  // when each version was, by the calendar
  std::vector<double> steps;                 // seconds from one version to the next
  double server_seconds = 0;                 // of the cores, in those steps
  uint64_t server_resident_bytes = 0;        // at most, of its process
};

ClusterResult RunCluster(const ClusterOptions& options);
// The median of its steps, in milliseconds.
double StepMillis(const ClusterOptions& options);

}  // namespace conadv::bench

#endif  // CONADV_TESTS_BENCH_SIMULATE_CLUSTER_H_
