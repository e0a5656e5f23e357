// SPDX-License-Identifier: Apache-2.0
// Opens the model that a job names: a built-in one, or somebody's own.
#ifndef CONADV_WORKER_MODEL_SOURCE_OPEN_MODEL_H_
#define CONADV_WORKER_MODEL_SOURCE_OPEN_MODEL_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "common/job/job.h"
#include "worker/model/network.h"
#include "worker/model/script/layers.h"

namespace conadv {

struct Model {
  NetworkFactory factory;
  // Of the file that it came from: workers that have another one must not take part. 0 for a
  // built-in one.
  uint64_t fingerprint = 0;
  ScriptModule module;  // with its initial weights
};

// For images of this shape; built-in models begin with `seed`'s weights, others with the file's.
// Errors name the field and say what to do.
absl::StatusOr<Model> OpenModel(const ModelOptions& model, const DatasetOptions& dataset,
                                const ImageShape& shape, uint64_t seed);

}  // namespace conadv

#endif  // CONADV_WORKER_MODEL_SOURCE_OPEN_MODEL_H_
