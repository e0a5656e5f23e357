// SPDX-License-Identifier: Apache-2.0
// What is to be evaluated, as files for the program that does it.
#ifndef CONADV_CLI_EVALUATE_SUBJECT_H_
#define CONADV_CLI_EVALUATE_SUBJECT_H_

#include <string>

#include "absl/status/statusor.h"
#include "cli/command/flags.h"
#include "common/job/job.h"

namespace conadv {

struct Subject {
  Job job;
  std::string job_path;
  std::string weights_path;  // empty: the job's model has its own
};

// From --weights, --server or --model, of which one is given: the job is --job's, or lies beside
// the weights as `conadv train` leaves it, or is the run's; with --set and --data_dir. Writes what
// is not there as a file into `directory`. Waits for servers that are away. INVALID_ARGUMENT and
// NOT_FOUND say which flag to give.
absl::StatusOr<Subject> PrepareSubject(const FlagValues& flags, const std::string& directory);

}  // namespace conadv

#endif  // CONADV_CLI_EVALUATE_SUBJECT_H_
