// SPDX-License-Identifier: Apache-2.0
// A worker that computes nothing: it joins, offers weights, pulls, pushes gradients of 1, and
// leaves when the run is over, with one server. It speaks through generated classes only, as a
// worker in another language would. One thread.
#ifndef CONADV_TESTS_SOAK_WIRE_WORKER_H_
#define CONADV_TESTS_SOAK_WIRE_WORKER_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "common/tensor/layout.h"
#include "conadv/v1/coordinator.grpc.pb.h"
#include "conadv/v1/parameter_server.grpc.pb.h"
#include "tests/soak/tiny_run.h"

namespace conadv {

struct WireWorkerReport {
  uint64_t units = 0;     // pushed
  uint64_t refusals = 0;  // RESOURCE_EXHAUSTED
  uint64_t refusals_without_delay = 0;
};

class WireWorker {
 public:
  // Each worker has a connection of its own.
  WireWorker(const std::string& address, std::string name, const TinyRun& run);

  // Called when half of the first unit's push is on its way.
  std::function<void()> half_way = [] {};
  // Called after every unit.
  std::function<void()> done = [] {};

  // Until the run is over. The first error there is.
  absl::Status Run();
  // What the server says to a push of this unit of which nothing but the header comes.
  absl::Status PushHeaderOnly(const v1::Unit& unit);
  v1::PushHeader HeaderOf(const v1::Unit& unit, uint64_t version) const;
  const WireWorkerReport& report() const { return report_; }

 private:
  absl::Status Offer();
  absl::Status Work(const v1::Unit& unit);
  // The version that was pulled. OUT_OF_RANGE: it is no longer kept.
  absl::StatusOr<uint64_t> Pull(const v1::PullRequest& request);
  absl::Status Push(const v1::PushHeader& header, float value);
  absl::Status PushOnce(const v1::PushHeader& header, float value);

  const std::string name_;
  const TinyRun run_;
  const Plan plan_;
  const Layout layout_;
  std::unique_ptr<v1::ParameterServer::Stub> server_;
  std::unique_ptr<v1::Coordinator::Stub> coordinator_;
  uint64_t lineage_ = 0;
  std::function<void()> heartbeat_ = [] {};
  WireWorkerReport report_;
};

}  // namespace conadv

#endif  // CONADV_TESTS_SOAK_WIRE_WORKER_H_
