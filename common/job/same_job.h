// SPDX-License-Identifier: Apache-2.0
// Whether a run may go on from what another job left. Pure functions.
#ifndef CONADV_COMMON_JOB_SAME_JOB_H_
#define CONADV_COMMON_JOB_SAME_JOB_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace conadv {

// OK if both jobs (text format) make the same weights: names, `server` and `evaluation` may differ.
// FAILED_PRECONDITION names the checkpoint directory and the fields that differ.
absl::Status CheckSameJob(absl::string_view run, absl::string_view checkpoint,
                          const std::string& directory);

}  // namespace conadv

#endif  // CONADV_COMMON_JOB_SAME_JOB_H_
