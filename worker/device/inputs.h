// SPDX-License-Identifier: Apache-2.0
// From a data set's examples to what a pass takes. Thread-safe.
#ifndef CONADV_WORKER_DEVICE_INPUTS_H_
#define CONADV_WORKER_DEVICE_INPUTS_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "worker/data/dataset.h"
#include "worker/device/device.h"

namespace conadv {

// The examples at `indices`, in that order, on the device. Errors as LoadBatch's. REQUIRES: every
// index < dataset.examples().
absl::StatusOr<Inputs> LoadInputs(const Dataset& dataset, absl::Span<const uint64_t> indices,
                                  Device& device);

}  // namespace conadv

#endif  // CONADV_WORKER_DEVICE_INPUTS_H_
