// SPDX-License-Identifier: Apache-2.0
// A job that came over the wire is refused with reasons, or says what it says: as text it is the
// same job.
//   input := a serialized conadv.v1.Job
#include <string>

#include "common/job/parse.h"
#include "tests/fuzz/allocation.h"
#include "tests/fuzz/property.h"
#include "tests/fuzz/target.h"

namespace conadv::fuzz {
namespace {

void TestJob(const std::string& bytes) {
  v1::Job job;
  if (!job.ParseFromString(bytes)) return;
  const AllocationMeter meter;
  const absl::StatusOr<Job> valid = ValidateJob(job);
  RequireBounded(meter, (size_t{256} << 10) + 512 * bytes.size());
  if (!valid.ok()) {
    return RequireRefusal(valid.status(), absl::StatusCode::kInvalidArgument, bytes.size());
  }
  const std::string text = JobText(job);
  Require(IsText(text), "a job in full is text", text);
  const absl::StatusOr<v1::Job> again = ParseJobText(text, "job.textproto");
  Require(again.ok(), "a job in full can be parsed", again.status().ToString());
  Require(ValidateJob(*again).ok(), "a job in full keeps the rules", text);
  Require(JobText(*again) == text, "a job in full is the same job", text);
}

}  // namespace
}  // namespace conadv::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  conadv::fuzz::TestJob({reinterpret_cast<const char*>(data), size});
  return 0;
}
