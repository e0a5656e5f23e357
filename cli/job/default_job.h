// SPDX-License-Identifier: Apache-2.0
// The job that is run when none is given: deploy/jobs/fashion-mnist.textproto, as it was when the
// program was built. Immutable.
#ifndef CONADV_CLI_JOB_DEFAULT_JOB_H_
#define CONADV_CLI_JOB_DEFAULT_JOB_H_

#include "absl/strings/string_view.h"

namespace conadv {

inline constexpr char kDefaultJobFile[] = "deploy/jobs/fashion-mnist.textproto";

absl::string_view DefaultJobText();

}  // namespace conadv

#endif  // CONADV_CLI_JOB_DEFAULT_JOB_H_
