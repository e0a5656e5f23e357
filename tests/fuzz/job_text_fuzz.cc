// SPDX-License-Identifier: Apache-2.0
// A job file and the settings over it are refused with reasons, or say what they say: written out
// in full they are the same job.
//   input := job file [NUL setting (newline setting)*]
#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "common/job/parse.h"
#include "tests/fuzz/allocation.h"
#include "tests/fuzz/property.h"
#include "tests/fuzz/target.h"

namespace conadv::fuzz {
namespace {

constexpr char kFile[] = "job.textproto";

// REQUIRES: `job` keeps every rule.
void RequireSameInFull(const v1::Job& job) {
  const std::string text = JobText(job);
  Require(IsText(text), "a job in full is text", text);
  const absl::StatusOr<v1::Job> again = ParseJobText(text, kFile);
  Require(again.ok(), "a job in full can be parsed", again.status().ToString());
  const absl::StatusOr<Job> valid = ValidateJob(*again);
  Require(valid.ok(), "a job in full keeps the rules", valid.status().ToString());
  Require(JobText(*again) == text, "a job in full is the same job", text);
}

void TestValidate(const v1::Job& job, size_t input_size) {
  const absl::StatusOr<Job> valid = ValidateJob(job);
  if (!valid.ok()) {
    RequireRefusal(valid.status(), absl::StatusCode::kInvalidArgument, input_size);
    for (const absl::string_view line : absl::StrSplit(valid.status().message(), '\n')) {
      Require(absl::StrContains(line, ": "), "each line names a field", line);
    }
    return;
  }
  for (const uint64_t examples : {uint64_t{1}, uint64_t{60000}, UINT64_MAX}) {
    Require(StepsOf(valid->training, examples) > 0, "a valid job has steps");
  }
  RequireSameInFull(job);
}

void TestSettings(absl::string_view settings_text, v1::Job* job) {
  const std::vector<std::string> settings = absl::StrSplit(settings_text, '\n');
  const std::string before = job->SerializeAsString();
  const absl::Status status = ApplySettings(settings, job);
  if (!status.ok()) {
    RequireRefusal(status, absl::StatusCode::kInvalidArgument, settings_text.size());
    Require(job->SerializeAsString() == before, "a refused setting changes nothing");
    return;
  }
  const std::string once = job->SerializeAsString();
  Require(ApplySettings(settings, job).ok(), "settings can be applied again", settings_text);
  Require(job->SerializeAsString() == once, "and then change nothing", settings_text);
}

void TestJob(absl::string_view input) {
  const size_t end = std::min(input.find('\0'), input.size());
  const AllocationMeter meter;
  absl::StatusOr<v1::Job> job = ParseJobText(input.substr(0, end), kFile);
  RequireBounded(meter, (size_t{256} << 10) + 256 * input.size());
  if (!job.ok()) {
    RequireRefusal(job.status(), absl::StatusCode::kInvalidArgument, input.size());
    Require(absl::StartsWith(job.status().message(), kFile), "a refusal names the file",
            job.status().message());
    job.emplace();
  }
  TestValidate(*job, input.size());
  if (end == input.size()) return;
  TestSettings(input.substr(end + 1), &*job);
  TestValidate(*job, input.size());
}

}  // namespace
}  // namespace conadv::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  conadv::fuzz::TestJob({reinterpret_cast<const char*>(data), size});
  return 0;
}
