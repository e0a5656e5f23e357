// SPDX-License-Identifier: Apache-2.0
// The ways for the bytes that every worker has, the fastest first. Immutable; outlives the clients
// that it connects.
#ifndef CONADV_WORKER_MEMBER_TRANSPORTS_H_
#define CONADV_WORKER_MEMBER_TRANSPORTS_H_

#include <utility>
#include <vector>

#include "client/grpc/grpc_transport.h"
#include "client/shared_memory/shared_memory_transport.h"
#include "common/shared_memory/shared_arenas.h"

namespace conadv {

class WorkerTransports {
 public:
  // `overlap`: gradients may leave while their pass goes on.
  explicit WorkerTransports(bool shared_memory, bool overlap = true,
                            ClientCredentials credentials = {})
      : arenas_(shared_memory ? SharedArenas::OfThisProcess() : nullptr),
        grpc_(std::move(credentials), overlap) {}
  WorkerTransports(const WorkerTransports&) = delete;
  WorkerTransports& operator=(const WorkerTransports&) = delete;

  std::vector<const Transport*> list() const { return {&shared_memory_, &grpc_}; }
  // Where what is pushed should lie.
  ArenaAllocator* gradients() const {
    return arenas_ != nullptr ? arenas_ : &ArenaAllocator::Heap();
  }

 private:
  SharedArenas* const arenas_;
  const GrpcTransport grpc_;
  const SharedMemoryTransport shared_memory_{&grpc_, arenas_};
};

}  // namespace conadv

#endif  // CONADV_WORKER_MEMBER_TRANSPORTS_H_
