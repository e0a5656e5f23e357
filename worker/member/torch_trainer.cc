// SPDX-License-Identifier: Apache-2.0
#include "worker/member/torch_trainer.h"

#include <utility>

#include "worker/compute/torch_compute.h"
#include "worker/member/trainer.h"

namespace conadv {

std::unique_ptr<MemberRole> MakeTorchTrainer(Setup setup, const std::string& name, int lanes,
                                             int loaders, ShardClients* clients) {
  TrainerParts parts;
  parts.name = name;
  parts.lanes = lanes;
  parts.loaders = loaders;
  parts.compute = std::make_unique<TorchCompute>(setup.run.job, setup.dataset, setup.layout,
                                                 setup.model.factory, setup.device, lanes);
  parts.prepare_thread = [device = setup.device] { device->PrepareThread(); };
  return std::make_unique<Trainer>(std::move(setup), std::move(parts), clients);
}

}  // namespace conadv
