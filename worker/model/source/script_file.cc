// SPDX-License-Identifier: Apache-2.0
#include "worker/model/source/script_file.h"

#include <cstdint>
#include <exception>
#include <sstream>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "common/os/file.h"
#include "common/tensor/crc32c.h"
#include "worker/model/script/module_tensors.h"

namespace conadv {
namespace {

absl::Status Refuse(const std::string& path, absl::string_view why) {
  return absl::InvalidArgumentError(
      absl::StrCat("model.torchscript: ", path, " ", why,
                   "; write it with torch.jit.script(module).save(path)"));
}

}  // namespace

absl::StatusOr<ScriptFile> ReadScript(const std::string& path) {
  absl::StatusOr<std::string> read = FileSystem::Real().Read(path);
  if (!read.ok()) {
    return absl::Status(read.status().code(),
                        absl::StrCat("model.torchscript: ", read.status().message()));
  }
  const std::string& bytes = *read;
  // A zip archive (PKWARE's APPNOTE, 4.3.7) with the code in it; torch.save's has none.
  if (!absl::StartsWith(bytes, "PK\x03\x04")) return Refuse(path, "is not a TorchScript archive");
  if (!absl::StrContains(bytes, "/code/")) {
    return Refuse(path, "has weights but no code, as torch.save leaves it");
  }
  ScriptFile file;
  file.fingerprint = uint64_t{bytes.size()} << 32 | ExtendCrc32c(0, bytes.data(), bytes.size());
  try {
    std::istringstream stream(bytes);
    file.module = torch::jit::load(stream, torch::kCPU);
  } catch (const std::exception& error) {
    return Refuse(path, absl::StrCat("is damaged (", FirstLine(error.what()), ")"));
  }
  if (!file.module.find_method("forward").has_value()) return Refuse(path, "has no forward()");
  return file;
}

}  // namespace conadv
