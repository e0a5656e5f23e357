// SPDX-License-Identifier: Apache-2.0
// Where a run leaves what in its directory. Pure functions.
#ifndef CONADV_CLI_RESULTS_RUN_PATHS_H_
#define CONADV_CLI_RESULTS_RUN_PATHS_H_

#include <string>

#include "absl/strings/string_view.h"

namespace conadv {

std::string JobPath(absl::string_view directory);
std::string LogDirectory(absl::string_view directory);
std::string CheckpointDirectory(absl::string_view directory);
std::string MetricsPath(absl::string_view directory);
std::string BoardDirectory(absl::string_view directory);
std::string WeightsPath(absl::string_view directory);
std::string ModelPath(absl::string_view directory);

}  // namespace conadv

#endif  // CONADV_CLI_RESULTS_RUN_PATHS_H_
