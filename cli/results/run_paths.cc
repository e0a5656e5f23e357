// SPDX-License-Identifier: Apache-2.0
#include "cli/results/run_paths.h"

#include "absl/strings/str_cat.h"

namespace conadv {

std::string JobPath(absl::string_view directory) {
  return absl::StrCat(directory, "/job.textproto");
}
std::string LogDirectory(absl::string_view directory) { return absl::StrCat(directory, "/logs"); }
std::string CheckpointDirectory(absl::string_view directory) {
  return absl::StrCat(directory, "/checkpoints");
}
std::string MetricsPath(absl::string_view directory) {
  return absl::StrCat(directory, "/metrics.jsonl");
}
std::string BoardDirectory(absl::string_view directory) {
  return absl::StrCat(directory, "/tensorboard");
}
std::string WeightsPath(absl::string_view directory) {
  return absl::StrCat(directory, "/weights.safetensors");
}
std::string ModelPath(absl::string_view directory) { return absl::StrCat(directory, "/model.pt"); }

}  // namespace conadv
