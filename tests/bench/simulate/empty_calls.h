// SPDX-License-Identifier: Apache-2.0
// What an empty unary gRPC call costs: a server that answers it with nothing, in a process of its
// own. One thread.
#ifndef CONADV_TESTS_BENCH_SIMULATE_EMPTY_CALLS_H_
#define CONADV_TESTS_BENCH_SIMULATE_EMPTY_CALLS_H_

#include <memory>
#include <string>

#include "conadv/v1/coordinator.grpc.pb.h"
#include "tests/support/process.h"

namespace conadv::bench {

class EmptyCalls {
 public:
  // `core`: the only one that the server has; -1: all.
  explicit EmptyCalls(int core = -1);

  // Seconds of one call after the other: the median.
  double RoundTrip();
  // Calls that wait at the server, each through a connection of its own, and are answered with
  // nothing all at once: seconds until the last of so many has its answer, the median of some
  // hundred times. What gRPC itself takes for what a published version does to waiting pulls.
  double WakeAll(int callers);
  // Calls for each second of the server's cores, with `callers` of them at once.
  double CallsOfACore(int callers);

 private:
  Process server_;
  std::string address_;
  std::unique_ptr<v1::Coordinator::Stub> stub_;
};

// The server, which says "listening on HOST:PORT", until SIGTERM.
int ServeEmptyCalls();

}  // namespace conadv::bench

#endif  // CONADV_TESTS_BENCH_SIMULATE_EMPTY_CALLS_H_
