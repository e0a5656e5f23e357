// SPDX-License-Identifier: Apache-2.0
#include "worker/device/inputs.h"

#include "common/base/status_macros.h"
#include "worker/data/batch.h"

namespace conadv {

absl::StatusOr<HostBatch> LoadExamples(const Dataset& dataset, absl::Span<const uint64_t> indices,
                                       Device& device) {
  const ImageSize size = dataset.image_size();
  HostBatch batch = device.NewBatch(
      {static_cast<int64_t>(indices.size()), size.channels, size.height, size.width});
  CONADV_RETURN_IF_ERROR(LoadBatch(dataset, indices, batch.image_bytes(), batch.label_values()));
  return batch;
}

}  // namespace conadv
