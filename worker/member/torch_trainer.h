// SPDX-License-Identifier: Apache-2.0
// The worker's role with LibTorch.
#ifndef CONADV_WORKER_MEMBER_TORCH_TRAINER_H_
#define CONADV_WORKER_MEMBER_TORCH_TRAINER_H_

#include <memory>
#include <string>

#include "worker/member/role.h"
#include "worker/member/setup.h"
#include "worker/member/shard_clients.h"

namespace conadv {

// `lanes` threads compute, `loaders` load examples. `clients` outlives the role.
std::unique_ptr<MemberRole> MakeTorchTrainer(Setup setup, const std::string& name, int lanes,
                                             int loaders, ShardClients* clients);

}  // namespace conadv

#endif  // CONADV_WORKER_MEMBER_TORCH_TRAINER_H_
