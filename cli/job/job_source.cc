// SPDX-License-Identifier: Apache-2.0
#include "cli/job/job_source.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "cli/job/default_job.h"
#include "common/base/status_macros.h"
#include "common/program/exit_code.h"

namespace conadv {
namespace {

std::string NameOf(const JobSource& source) {
  return source.path.empty() ? kDefaultJobFile : source.path;
}

absl::StatusOr<v1::Job> Read(const JobSource& source, const FileSystem& files) {
  std::string text(DefaultJobText());
  if (!source.path.empty()) {
    CONADV_ASSIGN_OR_RETURN(text, files.Read(source.path));
  } else if (text.empty()) {
    return absl::NotFoundError("this conadv was built without a default job; give one with --job");
  }
  CONADV_ASSIGN_OR_RETURN(v1::Job job, ParseJobText(text, NameOf(source)));
  CONADV_RETURN_IF_ERROR(ApplySettings(source.settings, &job));
  if (!source.data_directory.empty()) job.mutable_dataset()->set_path(source.data_directory);
  return job;
}

}  // namespace

absl::StatusOr<v1::Job> ReadJob(const JobSource& source, const FileSystem& files) {
  absl::StatusOr<v1::Job> job = Read(source, files);
  if (!job.ok()) return WithExitCode(job.status(), kExitNever);
  return job;
}

absl::StatusOr<Job> CheckJob(const v1::Job& job, const JobSource& source) {
  absl::StatusOr<Job> checked = ValidateJob(job);
  if (checked.ok()) return checked;
  const absl::string_view rules = checked.status().message();
  const std::string text =
      absl::StrContains(rules, "\n")
          ? absl::StrCat(NameOf(source), ":\n  ", absl::StrReplaceAll(rules, {{"\n", "\n  "}}))
          : absl::StrCat(NameOf(source), ": ", rules);
  return WithExitCode(absl::InvalidArgumentError(text), kExitNever);
}

}  // namespace conadv
