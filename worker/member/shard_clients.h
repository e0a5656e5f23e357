// SPDX-License-Identifier: Apache-2.0
// The clients of all shards of a run, and the one timer and totals they share. Thread-safe.
#ifndef CONADV_WORKER_MEMBER_SHARD_CLIENTS_H_
#define CONADV_WORKER_MEMBER_SHARD_CLIENTS_H_

#include <memory>
#include <string>
#include <vector>

#include "client/transfer/transport.h"
#include "common/thread/timer.h"
#include "worker/statistics/statistics.h"

namespace conadv {

class ShardClients {
 public:
  // Each shard by the first of the transports that is viable for it. REQUIRES: the last always is.
  // `gradients` is where what is pushed should lie, for a transport to find it; it outlives all.
  ShardClients(const std::vector<const Transport*>& transports,
               const std::vector<std::string>& addresses, uint64_t layout_hash,
               const std::string& worker, ArenaAllocator* gradients = &ArenaAllocator::Heap());

  std::vector<ParameterClient*> pointers() const;
  // Of every call from now on.
  void SetLineage(Lineage lineage);
  // Cancels the calls, for a new session.
  void Reset();
  // Nothing is called back afterwards.
  void Stop();

  ArenaAllocator* gradients() { return gradients_; }
  Timer* timer() { return &timer_; }
  WorkerStatistics* statistics() { return &statistics_; }

 private:
  ArenaAllocator* const gradients_;
  WorkerStatistics statistics_;
  std::vector<std::unique_ptr<ParameterClient>> clients_;
  ThreadTimer timer_;
};

}  // namespace conadv

#endif  // CONADV_WORKER_MEMBER_SHARD_CLIENTS_H_
