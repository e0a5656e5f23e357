// SPDX-License-Identifier: Apache-2.0
#include "cli/train/train.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <memory>
#include <string>
#include <system_error>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cli/format/json_output.h"
#include "cli/job/job_flags.h"
#include "cli/job/job_source.h"
#include "cli/process/programs.h"
#include "cli/process/supervisor.h"
#include "cli/progress/progress_display.h"
#include "cli/results/earlier_run.h"
#include "cli/results/run_directory.h"
#include "cli/results/run_paths.h"
#include "cli/results/run_result.h"
#include "cli/run/deployment.h"
#include "cli/train/run_driver.h"
#include "common/base/status_macros.h"
#include "common/job/same_job.h"
#include "common/os/file.h"
#include "common/program/auto_flag.h"
#include "common/program/device_name.h"
#include "common/program/exit_code.h"
#include "worker/data/open.h"

namespace conadv {
namespace {

absl::StatusOr<Deployment> DeploymentOf(const FlagValues& flags, const std::string& directory) {
  constexpr uint64_t kMost = 256;
  Deployment deployment;
  for (const char* name : {"servers", "workers", "threads"}) {
    if (flags.Count(name) > kMost) {
      return UsageError(
          absl::StrCat("--", name, " must be at most ", kMost, ", got ", flags.Count(name)));
    }
  }
  const uint32_t cores = std::max(1U, std::thread::hardware_concurrency());
  deployment.directory = directory;
  deployment.servers = static_cast<uint32_t>(flags.Count("servers"));
  deployment.workers = static_cast<uint32_t>(flags.Count("workers"));
  deployment.threads = flags.Given("threads") ? static_cast<uint32_t>(flags.Count("threads"))
                                              : std::max(1U, cores / deployment.workers);
  deployment.evaluator_threads = cores;
  deployment.device = flags.Text("device");
  CONADV_RETURN_IF_ERROR(AsUsage(ParseDeviceName(deployment.device).status()));
  deployment.shared_memory = flags.Text("shared_memory");
  CONADV_RETURN_IF_ERROR(
      AsUsage(ParseAutoFlag("shared_memory", deployment.shared_memory).status()));
  deployment.overlap = flags.Text("overlap");
  CONADV_RETURN_IF_ERROR(AsUsage(ParseAutoFlag("overlap", deployment.overlap).status()));
  CONADV_ASSIGN_OR_RETURN(const std::string own, OwnDirectory());
  const char* path = std::getenv("PATH");
  const std::string search = path == nullptr ? "" : path;
  CONADV_ASSIGN_OR_RETURN(deployment.server_program, FindProgram("conadv-server", own, search));
  CONADV_ASSIGN_OR_RETURN(deployment.worker_program, FindProgram("conadv-worker", own, search));
  return deployment;
}

// What belongs to a run that is there already.
absl::Status CheckResumeFlags(const FlagValues& flags) {
  if (!flags.Given("resume")) return absl::OkStatus();
  for (const char* name : {"job", "out", "force"}) {
    if (flags.Given(name)) {
      return UsageError(
          absl::StrCat("--", name, " does not go with --resume, which names an earlier run"));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<uint32_t> ResumedServers(const FlagValues& flags, const std::string& directory,
                                        const FileSystem& files) {
  CONADV_ASSIGN_OR_RETURN(const uint32_t shards, ShardsOfRun(directory, files));
  if (!flags.Given("servers") || flags.Count("servers") == shards) return shards;
  return UsageError(absl::StrCat("the run in ", directory, " has ", shards,
                                 " servers, and cannot go on with ", flags.Count("servers")));
}

// What a train that died while it replaced a run has left.
absl::Status Recover(const std::string& directory, const FileSystem& files) {
  if (!files.Exists(directory)) return absl::OkStatus();
  CONADV_ASSIGN_OR_RETURN(const RunLock lock, RunLock::Take(directory, files));
  return EarlierRun(directory, RunEntries(), &files).Recover();
}

// Of a run that failed before it had taken the earlier one's place.
absl::Status PutBack(const absl::Status& failure, EarlierRun* earlier) {
  if (!earlier->aside()) return failure;
  const absl::Status status = earlier->PutBack();
  return Reworded(failure, absl::StrCat(failure.message(),
                                        status.ok() ? "; the earlier run is as it was"
                                                    : "; the earlier run is not in its place: ",
                                        status.message()));
}

absl::Status Train(const FlagValues& flags, std::ostream& out) {
  const FileSystem& files = FileSystem::Real();
  const bool resumes = flags.Given("resume");
  CONADV_RETURN_IF_ERROR(CheckResumeFlags(flags));
  JobSource source = JobSourceOf(flags);
  source.data_directory = flags.Text("data_dir");
  if (resumes) {
    CONADV_RETURN_IF_ERROR(Recover(flags.Text("resume"), files));
    CONADV_RETURN_IF_ERROR(ShardsOfRun(flags.Text("resume"), files).status());
    source.path = JobPath(flags.Text("resume"));
  }
  CONADV_ASSIGN_OR_RETURN(const v1::Job proto, ReadJob(source, files));
  CONADV_ASSIGN_OR_RETURN(const Job job, CheckJob(proto, source));
  const std::string directory = resumes              ? flags.Text("resume")
                                : flags.Given("out") ? flags.Text("out")
                                                     : absl::StrCat("out/", job.name);
  CONADV_ASSIGN_OR_RETURN(Deployment deployment, DeploymentOf(flags, directory));
  // Before anything starts, and before an earlier run is replaced.
  absl::Status listed = files.List(job.dataset.path).status();
  const absl::StatusOr<std::string> data =
      listed.ok() ? CheckDataset(job.dataset) : absl::StatusOr<std::string>(std::move(listed));
  if (!data.ok()) {
    return WithExitCode(
        absl::Status(data.status().code(), absl::StrCat("dataset.path: ", data.status().message())),
        kExitNever);
  }
  CONADV_ASSIGN_OR_RETURN(const RunLock lock, RunLock::Take(directory, files));
  EarlierRun earlier(directory, RunEntries(), &files);
  CONADV_RETURN_IF_ERROR(earlier.Recover());
  // A run that has just begun would begin again by itself; one of yesterday's is not given up so.
  deployment.begin_anew = !resumes || flags.Switch("begin_anew");
  if (resumes) {
    CONADV_ASSIGN_OR_RETURN(deployment.servers, ResumedServers(flags, directory, files));
    // A job that the checkpoints do not fit must not take the place of the one they do.
    CONADV_ASSIGN_OR_RETURN(const std::string before, files.Read(JobPath(directory)));
    if (absl::Status same = CheckSameJob(JobText(proto), before, directory); !same.ok()) {
      return WithExitCode(std::move(same), kExitNever);
    }
    // With the settings of this time, as the directory of the data.
    CONADV_RETURN_IF_ERROR(files.WriteAtomically(JobPath(directory), JobText(proto)));
  } else {
    const absl::Status prepared =
        PrepareRunDirectory(directory, JobText(proto), flags.Switch("force"), &earlier, files);
    if (!prepared.ok()) return PutBack(prepared, &earlier);
  }

  CONADV_ASSIGN_OR_RETURN(const std::unique_ptr<Supervisor> supervisor, Supervisor::Create());
  const bool json = flags.Switch("json");
  absl::StatusOr<RunResult> result;
  {
    ProgressDisplay display(&std::cerr, json ? nullptr : TerminalWidth());
    display.Note(absl::StrCat(job.dataset.path, ": ", *data));
    result = RunDriver(deployment, job, supervisor.get(), &display, &earlier, &files).Run();
  }
  if (!result.ok()) return PutBack(result.status(), &earlier);
  std::error_code error;
  result->model = std::filesystem::exists(ModelPath(directory), error);
  if (!result->model) result->problems.push_back("model.pt was not written");
  out << (json ? absl::StrCat(ResultJson(*result, directory), "\n")
               : ResultText(*result, job, directory))
      << std::flush;
  if (result->problems.empty()) return absl::OkStatus();
  return absl::InternalError(absl::StrCat("the weights are complete, but ",
                                          absl::StrJoin(result->problems, "; "),
                                          " (logs: ", LogDirectory(directory), ")"));
}

}  // namespace

Command TrainCommand() {
  return {
      "train",
      "train a model on this machine: servers, workers and an evaluator",
      "Without --job it trains Fashion-MNIST. The address of the coordinator is printed on "
      "standard\n"
      "error, for the other commands. What dies is restarted; Ctrl-C stops everything. The "
      "directory\n"
      "gets model.pt, weights.safetensors, metrics.jsonl, job.textproto, checkpoints/, logs/ and\n"
      "tensorboard/: what metrics.jsonl has, for tensorboard --logdir.\n",
      "conadv train --workers=2 --set training.tau=2 --set training.epochs=1 --out=out/tau2",
      {JobFlag(),
       {"servers", FlagKind::kPositive, "M", "1", "shards of the parameters, a process each"},
       {"workers", FlagKind::kPositive, "N", "2", "processes that compute gradients"},
       {"threads", FlagKind::kPositive, "N", "",
        "compute threads of a worker; else cores / workers"},
       {"device", FlagKind::kText, "NAME", "cpu",
        "where workers and evaluator compute: cpu, cuda or cuda:N"},
       {"shared_memory", FlagKind::kText, "HOW", "auto",
        "auto: processes pull and push through shared memory; off: over the network"},
       {"overlap", FlagKind::kText, "HOW", "auto",
        "auto: large gradients leave during their pass; off: after it"},
       SetFlag(),
       {"out", FlagKind::kText, "DIR", "", "where results go; else out/ and the job's name"},
       {"force", FlagKind::kSwitch, "", "false", "replace an earlier run in --out"},
       {"resume", FlagKind::kText, "DIR", "",
        "go on from the newest checkpoint of the run in DIR, with its job"},
       {"begin_anew", FlagKind::kSwitch, "", "false",
        "with --resume: begin at version 0 if no checkpoint is whole; what is there is set aside"},
       {"data_dir", FlagKind::kText, "DIR", "",
        "where the data set is; else the job's dataset.path"},
       {"json", FlagKind::kSwitch, "", "false", "one line of JSON on standard output at the end"}},
      Train};
}

}  // namespace conadv
