// SPDX-License-Identifier: Apache-2.0
#include "cli/job/validate.h"

#include <ostream>

#include "absl/strings/str_cat.h"
#include "cli/format/json_output.h"
#include "cli/job/job_flags.h"
#include "cli/job/job_source.h"
#include "common/base/status_macros.h"
#include "common/os/file.h"

namespace conadv {
namespace {

absl::Status Validate(const FlagValues& flags, std::ostream& out) {
  const JobSource source = JobSourceOf(flags);
  CONADV_ASSIGN_OR_RETURN(const v1::Job proto, ReadJob(source, FileSystem::Real()));
  CONADV_RETURN_IF_ERROR(CheckJob(proto, source).status());
  out << (flags.Switch("json") ? absl::StrCat(JsonLine(ToJson(proto)), "\n") : JobText(proto));
  return absl::OkStatus();
}

}  // namespace

Command ValidateCommand() {
  return {"validate",
          "check a job, and show it with every default",
          "Every rule that the job breaks is listed, with the field's path.\n",
          "conadv validate --job=job.textproto --set training.tau=2",
          {JobFlag(), SetFlag(), {"json", FlagKind::kSwitch, "", "false", "the job as JSON"}},
          Validate};
}

}  // namespace conadv
