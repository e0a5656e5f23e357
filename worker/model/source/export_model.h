// SPDX-License-Identifier: Apache-2.0
// A trained model as a file that people take away.
#ifndef CONADV_WORKER_MODEL_SOURCE_EXPORT_MODEL_H_
#define CONADV_WORKER_MODEL_SOURCE_EXPORT_MODEL_H_

#include <string>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "common/base/ids.h"
#include "common/os/file.h"
#include "common/tensor/layout.h"
#include "worker/model/script/layers.h"

namespace conadv {

// Writes `module` with `weights` (all shards' arenas) of `version` in it, in evaluation mode: what
// torch.jit.load reads, in Python and C++. BatchNorm's are the MAIN ones, and its counters of
// batches are `version` further than the module's. INTERNAL: what LibTorch said; besides, the file
// system's errors.
absl::Status ExportModel(const ScriptModule& module, const Layout& layout,
                         absl::Span<const float> weights, Version version, const std::string& path,
                         const FileSystem& files);

}  // namespace conadv

#endif  // CONADV_WORKER_MODEL_SOURCE_EXPORT_MODEL_H_
