// SPDX-License-Identifier: Apache-2.0
// From a job file, or the message a coordinator sent, to a validated Job. Pure functions. Nothing
// is ignored: what a job or a setting says either takes effect or is refused.
#ifndef CONADV_COMMON_JOB_PARSE_H_
#define CONADV_COMMON_JOB_PARSE_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "common/job/job.h"
#include "conadv/v1/job.pb.h"

namespace conadv {

// Text format → message. INVALID_ARGUMENT with file name, line and column; unknown fields are
// errors.
absl::StatusOr<v1::Job> ParseJobText(absl::string_view text, absl::string_view file_name);

// Applies `training.tau=2`-like settings, a later one over an earlier. Paths name fields as the
// proto does; enum values and booleans in any case; a list with commas replaces the list there was;
// a oneof member without a value
// (`schedule.cosine=`) chooses it. INVALID_ARGUMENT has a line for each wrong setting, which for an
// unknown field lists the fields there are; then `job` is unchanged.
absl::Status ApplySettings(absl::Span<const std::string> settings, v1::Job* job);

// Checks every rule of job.proto, all at once: INVALID_ARGUMENT has one line for each broken rule,
// with its field path
// (`training.tau: must be ≤ 63, got 200`). Fields and enum values that this build does not know are
// refused too.
absl::StatusOr<Job> ValidateJob(const v1::Job& given);

// The job in full, in text format: every field that plays a part with its value, defaults too.
// Parsed again it makes the same Job.
std::string JobText(const v1::Job& job);

}  // namespace conadv

#endif  // CONADV_COMMON_JOB_PARSE_H_
