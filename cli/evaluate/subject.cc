// SPDX-License-Identifier: Apache-2.0
#include "cli/evaluate/subject.h"

#include <filesystem>
#include <vector>

#include "absl/strings/str_cat.h"
#include "cli/client/credentials.h"
#include "cli/client/run_job.h"
#include "cli/client/server_wait.h"
#include "cli/client/weights.h"
#include "cli/job/job_flags.h"
#include "cli/job/job_source.h"
#include "cli/pull/pull_flags.h"
#include "cli/results/run_paths.h"
#include "common/base/status_macros.h"
#include "common/job/parse.h"
#include "common/os/file.h"
#include "common/program/exit_code.h"
#include "common/wire/addresses.h"

namespace conadv {
namespace {

absl::Status CheckSubjectFlags(const FlagValues& flags) {
  int subjects = 0;
  for (const char* name : {"weights", "server", "model"}) subjects += flags.Given(name) ? 1 : 0;
  if (subjects != 1) {
    return UsageError(
        "give one of --weights=FILE, --server=HOST:PORT and "
        "--model=FILE");
  }
  if (flags.Given("model") && !flags.Given("job")) {
    return UsageError("--model needs --job, which names the data set");
  }
  if (flags.Given("server")) {
    if (flags.Given("job")) {
      return UsageError("--job does not go with --server, whose run has one");
    }
    return SelectorOf(flags).status();
  }
  for (const char* name : {"version", "lag"}) {
    if (flags.Given(name)) {
      return UsageError(absl::StrCat("--", name, " needs --server"));
    }
  }
  return absl::OkStatus();
}

// As `train` leaves it beside the weights.
absl::StatusOr<std::string> JobBeside(const std::string& weights, const FileSystem& files) {
  const std::string parent = std::filesystem::path(weights).parent_path().string();
  std::string path = JobPath(parent.empty() ? "." : parent);
  if (files.Exists(path)) return path;
  return absl::NotFoundError(
      absl::StrCat("there is no ", path,
                   " beside the weights; give the job that they were trained "
                   "with, as --job=FILE"));
}

// The run's weights and job, in `directory`.
absl::Status FetchRun(const FlagValues& flags, const std::string& directory,
                      const FileSystem& files, JobSource* source, Subject* subject) {
  CONADV_ASSIGN_OR_RETURN(const PullSelector selector, SelectorOf(flags));
  CONADV_ASSIGN_OR_RETURN(const std::vector<std::string> servers,
                          ExpandAddresses(flags.Text("server")));
  CONADV_ASSIGN_OR_RETURN(const ClientCredentials credentials, CredentialsOf(flags));
  ServerWait wait(CommandWait(flags.Seconds("timeout"), credentials));
  CONADV_ASSIGN_OR_RETURN(Weights weights, PullWeights(servers.front(), selector, &wait));
  CONADV_ASSIGN_OR_RETURN(const std::string job,
                          FetchJobText(servers.front(), wait.left(), credentials));
  CONADV_ASSIGN_OR_RETURN(const v1::Job parsed, ParseJobText(job, "the run's job"));
  if (parsed.optimizer().has_average()) {
    // What the run's own evaluator measures.
    CONADV_ASSIGN_OR_RETURN(weights, PullWeights(servers.front(), selector.Averaged(true), &wait));
  }
  subject->weights_path = WeightsPath(directory);
  CONADV_RETURN_IF_ERROR(WriteWeights(weights, subject->weights_path, files));
  source->path = absl::StrCat(directory, "/run.textproto");
  return files.WriteAtomically(source->path, job);
}

}  // namespace

absl::StatusOr<Subject> PrepareSubject(const FlagValues& flags, const std::string& directory) {
  CONADV_RETURN_IF_ERROR(CheckSubjectFlags(flags));
  const FileSystem& files = FileSystem::Real();
  Subject subject;
  JobSource source = JobSourceOf(flags);
  source.data_directory = flags.Text("data_dir");
  if (flags.Given("server")) {
    CONADV_RETURN_IF_ERROR(FetchRun(flags, directory, files, &source, &subject));
  } else if (flags.Given("weights")) {
    subject.weights_path = flags.Text("weights");
    if (!files.Exists(subject.weights_path)) {
      return WithExitCode(
          absl::NotFoundError(absl::StrCat("--weights: there is no ", subject.weights_path)),
          kExitNever);
    }
    if (!flags.Given("job")) {
      CONADV_ASSIGN_OR_RETURN(source.path, JobBeside(subject.weights_path, files));
    }
  } else {
    source.settings.push_back(absl::StrCat("model.torchscript=", flags.Text("model")));
  }
  CONADV_ASSIGN_OR_RETURN(const v1::Job job, ReadJob(source, files));
  CONADV_ASSIGN_OR_RETURN(subject.job, CheckJob(job, source));
  subject.job_path = JobPath(directory);
  CONADV_RETURN_IF_ERROR(files.WriteAtomically(subject.job_path, JobText(job)));
  return subject;
}

}  // namespace conadv
