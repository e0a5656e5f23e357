// SPDX-License-Identifier: Apache-2.0
// Weights from a file, for a model. Pure function.
#ifndef CONADV_WORKER_STANDALONE_WEIGHTS_FILE_H_
#define CONADV_WORKER_STANDALONE_WEIGHTS_FILE_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "common/tensor/arena.h"
#include "common/tensor/layout.h"
#include "common/tensor/safetensors.h"

namespace conadv {

// An arena of `layout`, one shard's, with the file's values. What the file has besides are other
// BatchNorms' twins of the model's tensors, as "auxiliary.bn1.weight"; they are passed over.
// INVALID_ARGUMENT, in words: a tensor is missing, has another shape, or is not the model's.
absl::StatusOr<std::shared_ptr<const Arena>> ArenaOf(const SafetensorsFile& file,
                                                     const Layout& layout);

}  // namespace conadv

#endif  // CONADV_WORKER_STANDALONE_WEIGHTS_FILE_H_
