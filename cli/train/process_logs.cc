// SPDX-License-Identifier: Apache-2.0
#include "cli/train/process_logs.h"

#include <algorithm>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "cli/results/run_directory.h"

namespace conadv {

void ProcessLogs::OnStart(const ProcessSpec& spec) {
  const bool there = files_->Exists(spec.log_path);
  logs_[spec.name] = {spec.log_path, there ? files_->Size(spec.log_path).value_or(0) : 0};
}

std::string ProcessLogs::LastWords(const std::string& process) const {
  const auto log = logs_.find(process);
  if (log == logs_.end()) return "";
  const absl::StatusOr<std::string> text = files_->Read(log->second.path);
  if (!text.ok()) return "";
  return FinalReason(
      absl::string_view(*text).substr(std::min<size_t>(log->second.begin, text->size())));
}

}  // namespace conadv
