// SPDX-License-Identifier: Apache-2.0
#include "worker/member/shard_clients.h"

namespace conadv {

ShardClients::ShardClients(const std::vector<const Transport*>& transports,
                           const std::vector<std::string>& addresses, uint64_t layout_hash,
                           const std::string& worker, ArenaAllocator* gradients)
    : gradients_(gradients) {
  for (const std::string& address : addresses) {
    clients_.push_back(ConnectByFirstViable(transports, {address, layout_hash, worker}));
  }
}

std::vector<ParameterClient*> ShardClients::pointers() const {
  std::vector<ParameterClient*> pointers;
  for (const auto& client : clients_) pointers.push_back(client.get());
  return pointers;
}

void ShardClients::SetLineage(Lineage lineage) {
  for (const auto& client : clients_) client->SetLineage(lineage);
}

void ShardClients::Reset() {
  for (const auto& client : clients_) client->Reset();
}

void ShardClients::Stop() {
  timer_.Stop();
  for (const auto& client : clients_) client->Shutdown();
}

}  // namespace conadv
