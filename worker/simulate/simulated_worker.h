// SPDX-License-Identifier: Apache-2.0
// A worker without a device: the clients, the session, the cache and the pipeline of every worker,
// with lanes that only wait. It takes part in runs whose workers are all simulated.
#ifndef CONADV_WORKER_SIMULATE_SIMULATED_WORKER_H_
#define CONADV_WORKER_SIMULATE_SIMULATED_WORKER_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "client/run/coordinator_client.h"
#include "client/transfer/transport.h"
#include "worker/member/role.h"
#include "worker/member/shard_clients.h"
#include "worker/member/training_setup.h"
#include "worker/simulate/simulation.h"

namespace conadv {

// What a simulated worker offers the run: tensors of `parameters` elements, all of them 0, and a
// data set that is not looked at: of dataset.limit examples, or else of 60,000. INVALID_ARGUMENT:
// the job has patterns for tensors that are not there, or more shards than there are tensors.
absl::StatusOr<TrainingSetup> SimulateSetup(RunInfo run, const Simulation& simulation);

// `clients` outlives the role.
std::unique_ptr<MemberRole> MakeSimulatedTrainer(TrainingSetup setup, const std::string& name,
                                                 const Simulation& simulation,
                                                 ShardClients* clients);

}  // namespace conadv

#endif  // CONADV_WORKER_SIMULATE_SIMULATED_WORKER_H_
