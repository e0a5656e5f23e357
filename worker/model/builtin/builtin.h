// SPDX-License-Identifier: Apache-2.0
// The built-in models by their names, with initial weights.
#ifndef CONADV_WORKER_MODEL_BUILTIN_BUILTIN_H_
#define CONADV_WORKER_MODEL_BUILTIN_BUILTIN_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "common/job/job.h"
#include "worker/model/network.h"
#include "worker/model/script/layers.h"

namespace conadv {

// With the initial weights of `seed`. INVALID_ARGUMENT: no such built-in model, or images too small
// for it.
absl::StatusOr<ScriptModule> MakeBuiltin(const ModelOptions& model, const ImageShape& shape,
                                         uint64_t seed);

}  // namespace conadv

#endif  // CONADV_WORKER_MODEL_BUILTIN_BUILTIN_H_
