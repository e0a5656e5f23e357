// SPDX-License-Identifier: Apache-2.0
// TorchScript archives on the disk.
#ifndef CONADV_WORKER_MODEL_SOURCE_SCRIPT_FILE_H_
#define CONADV_WORKER_MODEL_SOURCE_SCRIPT_FILE_H_

#include <string>

#include "absl/status/statusor.h"
#include "worker/model/script/layers.h"

namespace conadv {

struct ScriptFile {
  ScriptModule module;
  uint64_t fingerprint = 0;  // of the file's bytes
};

// What torch.jit.script(module).save(path) wrote, on the CPU. NOT_FOUND; INVALID_ARGUMENT, in
// words: not a TorchScript archive, or a damaged one.
absl::StatusOr<ScriptFile> ReadScript(const std::string& path);

}  // namespace conadv

#endif  // CONADV_WORKER_MODEL_SOURCE_SCRIPT_FILE_H_
