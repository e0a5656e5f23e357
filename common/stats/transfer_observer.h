// SPDX-License-Identifier: Apache-2.0
// Hears of transfers that are done. An interface; called on any thread.
#ifndef CONADV_COMMON_STATS_TRANSFER_OBSERVER_H_
#define CONADV_COMMON_STATS_TRANSFER_OBSERVER_H_

#include <cstdint>

#include "absl/time/time.h"

namespace conadv {

// Of one transfer, by the way that they came.
struct TransferredBytes {
  uint64_t network = 0;
  uint64_t shared = 0;  // through memory that both sides have mapped
};

class TransferObserver {
 public:
  virtual ~TransferObserver() = default;
  // From all shards, or to all.
  virtual void Pulled(absl::Duration took, const TransferredBytes& bytes) = 0;
  virtual void Pushed(absl::Duration took, const TransferredBytes& bytes) = 0;
};

}  // namespace conadv

#endif  // CONADV_COMMON_STATS_TRANSFER_OBSERVER_H_
