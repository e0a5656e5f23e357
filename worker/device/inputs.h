// SPDX-License-Identifier: Apache-2.0
// From a data set's examples to what a device takes. Thread-safe.
#ifndef CONADV_WORKER_DEVICE_INPUTS_H_
#define CONADV_WORKER_DEVICE_INPUTS_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "worker/data/dataset.h"
#include "worker/device/device.h"

namespace conadv {

// The examples at `indices`, in that order, in such memory as the device takes them from. Errors as
// LoadBatch's. REQUIRES: every index < dataset.examples().
absl::StatusOr<HostBatch> LoadExamples(const Dataset& dataset, absl::Span<const uint64_t> indices,
                                       Device& device);

}  // namespace conadv

#endif  // CONADV_WORKER_DEVICE_INPUTS_H_
