// SPDX-License-Identifier: Apache-2.0
// From a job file, or the message a coordinator sent, to a validated Job. Pure functions.
#ifndef CONADV_COMMON_JOB_PARSE_H_
#define CONADV_COMMON_JOB_PARSE_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "common/job/job.h"
#include "conadv/v1/job.pb.h"

namespace conadv {

// Text format → message. INVALID_ARGUMENT with file name, line and column; unknown fields are errors.
absl::StatusOr<v1::Job> ParseJobText(absl::string_view text, absl::string_view file_name);

// Applies `training.tau=2`-like settings. Paths name fields as the proto does; enum values in any case; a oneof member
// without a value (`schedule.cosine=`) chooses it. INVALID_ARGUMENT names the setting, and for an unknown field lists
// the fields there are.
absl::Status ApplySettings(absl::Span<const std::string> settings, v1::Job* job);

// Checks every rule of job.proto, all at once: one line for each broken rule, with its field path
// (`training.tau: must be ≤ 63, got 200`).
absl::StatusOr<Job> ValidateJob(const v1::Job& job);

// What `message` would say in full: every field with its value, defaults too, in text format.
std::string JobText(const v1::Job& job);

}  // namespace conadv

#endif  // CONADV_COMMON_JOB_PARSE_H_
