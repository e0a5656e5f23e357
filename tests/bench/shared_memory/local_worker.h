// SPDX-License-Identifier: Apache-2.0
// A worker that computes nothing and shares its machine, and its memory, with the server: every
// unit is a push while the next version is waited for. One thread.
#ifndef CONADV_TESTS_BENCH_SHARED_MEMORY_LOCAL_WORKER_H_
#define CONADV_TESTS_BENCH_SHARED_MEMORY_LOCAL_WORKER_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "client/grpc/grpc_transport.h"
#include "client/shared_memory/shared_memory_transport.h"
#include "common/plan/plan.h"
#include "conadv/v1/coordinator.grpc.pb.h"
#include "conadv/v1/parameter_server.grpc.pb.h"
#include "tests/soak/tiny_run.h"

namespace conadv::bench {

struct UnitTimes {
  double push = 0;    // seconds, until it is acknowledged
  double mapped = 0;  // from the publication of the next version until a waiting pull has it
};

class LocalWorker {
 public:
  LocalWorker(const std::string& address, const TinyRun& run);

  // Until the run is over; `seen` hears of every unit.
  absl::Status Run(const std::function<void(const UnitTimes&)>& seen);
  // What is pushed.
  const Arena& gradient() const { return *gradient_; }

 private:
  absl::Status Offer();
  absl::StatusOr<UnitTimes> Work(const v1::Unit& unit);
  absl::StatusOr<absl::Time> PublishedAt(uint64_t version);

  const Plan plan_;
  const Layout layout_;
  const GrpcTransport grpc_;
  const SharedMemoryTransport transport_;
  std::unique_ptr<v1::ParameterServer::Stub> server_;
  std::unique_ptr<v1::Coordinator::Stub> coordinator_;
  std::unique_ptr<ParameterClient> client_;
  std::shared_ptr<Arena> gradient_;
  Lineage lineage_;
};

}  // namespace conadv::bench

#endif  // CONADV_TESTS_BENCH_SHARED_MEMORY_LOCAL_WORKER_H_
