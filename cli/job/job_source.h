// SPDX-License-Identifier: Apache-2.0
// The job that a command line means: a file or the built-in one, and the changes to it.
#ifndef CONADV_CLI_JOB_JOB_SOURCE_H_
#define CONADV_CLI_JOB_JOB_SOURCE_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/job/parse.h"
#include "common/os/file.h"

namespace conadv {

struct JobSource {
  std::string path;  // empty: the built-in job
  std::vector<std::string> settings;
  std::string data_directory;  // replaces dataset.path unless it is empty
};

// Not validated. Errors name the file or the setting.
absl::StatusOr<v1::Job> ReadJob(const JobSource& source, const FileSystem& files);

// ValidateJob, with its broken rules as one message that names the job; several are on lines of
// their own.
absl::StatusOr<Job> CheckJob(const v1::Job& job, const JobSource& source);

}  // namespace conadv

#endif  // CONADV_CLI_JOB_JOB_SOURCE_H_
