// SPDX-License-Identifier: Apache-2.0
// A data set's batches, shared out among threads.
#ifndef CONADV_WORKER_EVALUATE_BATCHES_H_
#define CONADV_WORKER_EVALUATE_BATCHES_H_

#include <cstdint>
#include <functional>
#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "worker/device/device.h"
#include "worker/model/replica.h"

namespace conadv {

struct BatchRun {
  uint64_t batches = 0;
  int threads = 1;
  std::function<std::unique_ptr<Replica>()> make_replica;  // on the caller's thread
  std::function<absl::StatusOr<HostBatch>(uint64_t batch)> load;
  // Each batch once, on any thread.
  std::function<void(Replica&, const HostBatch&, uint64_t batch)> compute;
  // After each batch, on the threads; false: no other begins.
  std::function<bool()> go_on;
};

// Blocks. Each thread's next batch is loaded while it computes one. The first error of a batch, or
// INTERNAL: what LibTorch threw. CANCELLED: `go_on` was false. REQUIRES: threads ≥ 1.
absl::Status RunBatches(const BatchRun& run, Device& device);

}  // namespace conadv

#endif  // CONADV_WORKER_EVALUATE_BATCHES_H_
