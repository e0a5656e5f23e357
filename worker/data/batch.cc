// SPDX-License-Identifier: Apache-2.0
#include "worker/data/batch.h"

#include <cstddef>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "glog/logging.h"

namespace conadv {

absl::Status LoadBatch(const Dataset& dataset, absl::Span<const uint64_t> indices,
                       absl::Span<uint8_t> images, absl::Span<int64_t> labels) {
  const size_t size = dataset.image_size().bytes();
  CHECK_EQ(images.size(), indices.size() * size);
  CHECK_EQ(labels.size(), indices.size());
  for (size_t i = 0; i < indices.size(); ++i) {
    CONADV_ASSIGN_OR_RETURN(labels[i], dataset.Load(indices[i], images.subspan(i * size, size)));
    // Some kinds of device end the process for one that is out of range.
    if (labels[i] < 0 || labels[i] >= dataset.classes()) {
      return absl::DataLossError(absl::StrCat("example ", indices[i], " has the label ", labels[i],
                                              "; the data set has ", dataset.classes(),
                                              " classes"));
    }
  }
  return absl::OkStatus();
}

}  // namespace conadv
