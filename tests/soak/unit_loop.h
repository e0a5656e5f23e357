// SPDX-License-Identifier: Apache-2.0
// A worker's end of the Join stream, as a client with generated classes has it. One thread.
#ifndef CONADV_TESTS_SOAK_UNIT_LOOP_H_
#define CONADV_TESTS_SOAK_UNIT_LOOP_H_

#include <functional>
#include <string>

#include "absl/status/status.h"
#include "common/plan/plan.h"
#include "conadv/v1/coordinator.grpc.pb.h"

namespace conadv {

using JoinStream = grpc::ClientReaderWriterInterface<v1::JoinRequest, v1::JoinResponse>;

struct UnitLoop {
  std::function<void(uint64_t lineage)> welcome;
  std::function<absl::Status()> offer;                // the initial weights
  std::function<absl::Status(const v1::Unit&)> work;  // an error ends the loop
  // The coordinator has been told of the unit.
  std::function<void()> done = [] {};
};

// Says hello with one thread, and does what comes until the run is over. The first error there is.
absl::Status RunUnits(const std::string& name, const Plan& plan, const UnitLoop& loop,
                      grpc::ClientContext* context, JoinStream* stream);

}  // namespace conadv

#endif  // CONADV_TESTS_SOAK_UNIT_LOOP_H_
