// SPDX-License-Identifier: Apache-2.0
// What the sessions of a server's shared memory have in common; outlives them.
#ifndef CONADV_SERVER_TRANSFER_SHARED_MEMORY_LOCAL_PARTS_H_
#define CONADV_SERVER_TRANSFER_SHARED_MEMORY_LOCAL_PARTS_H_

#include <atomic>
#include <cstddef>

#include "common/base/clock.h"
#include "common/base/ids.h"
#include "common/shared_memory/shared_arenas.h"
#include "common/thread/thread_pool.h"
#include "server/shard/shard.h"
#include "server/transfer/push_watch.h"
#include "server/transfer/shared_memory/lease_book.h"

namespace conadv {

struct LocalParts {
  Shard* shard = nullptr;
  Incarnation incarnation;
  SharedArenas* arenas = nullptr;  // the shard's
  const Clock* clock = nullptr;
  PushWatch* watch = nullptr;
  LeaseBook* leases = nullptr;
  std::atomic<size_t>* segments = nullptr;  // of all peers
  ThreadPool* pool = nullptr;               // copies what is pushed
};

}  // namespace conadv

#endif  // CONADV_SERVER_TRANSFER_SHARED_MEMORY_LOCAL_PARTS_H_
