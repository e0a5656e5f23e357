// SPDX-License-Identifier: Apache-2.0
#include "cli/job/job_flags.h"

namespace conadv {

Flag JobFlag() { return {"job", FlagKind::kText, "FILE", "", "the job, in protobuf text format"}; }

Flag SetFlag() {
  return {"set", FlagKind::kRepeated, "FIELD=VALUE", "",
          "changes a field of the job, as training.tau=2"};
}

JobSource JobSourceOf(const FlagValues& flags) {
  JobSource source;
  source.path = flags.Text("job");
  source.settings = flags.Repeated("set");
  return source;
}

}  // namespace conadv
