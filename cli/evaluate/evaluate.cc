// SPDX-License-Identifier: Apache-2.0
#include "cli/evaluate/evaluate.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "cli/command/security_flags.h"
#include "cli/evaluate/outcome.h"
#include "cli/evaluate/subject.h"
#include "cli/job/job_flags.h"
#include "cli/process/programs.h"
#include "cli/process/supervisor.h"
#include "cli/progress/progress_display.h"
#include "cli/results/run_directory.h"
#include "common/base/clock.h"
#include "common/base/status_macros.h"
#include "common/os/file.h"
#include "common/program/device_name.h"
#include "common/program/exit_code.h"

namespace conadv {
namespace {

// A directory of our own, for as long as the command takes.
class WorkDirectory {
 public:
  static absl::StatusOr<WorkDirectory> Make() {
    const char* const given = std::getenv("TMPDIR");
    std::string path =
        absl::StrCat(given == nullptr || *given == '\0' ? "/tmp" : given, "/conadv-eval-XXXXXX");
    if (mkdtemp(path.data()) == nullptr) return FileError(errno, "make", path);
    return WorkDirectory(std::move(path));
  }
  WorkDirectory(WorkDirectory&& other) noexcept : path_(std::exchange(other.path_, "")) {}
  WorkDirectory& operator=(WorkDirectory&&) = delete;
  ~WorkDirectory() {
    // What is left over is the system's to clean.
    if (!path_.empty()) FileSystem::Real().Remove(path_).IgnoreError();
  }
  const std::string& path() const { return path_; }

 private:
  explicit WorkDirectory(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

constexpr char kProcess[] = "evaluator";

absl::StatusOr<ProcessSpec> SpecOf(const FlagValues& flags, const Subject& subject,
                                   const std::string& directory) {
  constexpr uint64_t kMostThreads = 256;
  CONADV_RETURN_IF_ERROR(AsUsage(ParseDeviceName(flags.Text("device")).status()));
  const uint64_t threads = flags.Given("threads")
                               ? flags.Count("threads")
                               : std::max(1U, std::thread::hardware_concurrency());
  if (threads > kMostThreads) {
    return UsageError(absl::StrCat("--threads must be at most ", kMostThreads, ", got ", threads));
  }
  CONADV_ASSIGN_OR_RETURN(const std::string own, OwnDirectory());
  const char* const path = std::getenv("PATH");
  CONADV_ASSIGN_OR_RETURN(const std::string program,
                          FindProgram("conadv-worker", own, path == nullptr ? "" : path));
  ProcessSpec spec;
  spec.name = kProcess;
  spec.arguments = {program, "--role=evaluator", absl::StrCat("--job=", subject.job_path),
                    absl::StrCat("--threads=", threads),
                    absl::StrCat("--device=", flags.Text("device"))};
  if (!subject.weights_path.empty()) {
    spec.arguments.push_back(absl::StrCat("--weights=", subject.weights_path));
  }
  spec.log_path = absl::StrCat(directory, "/log");
  return spec;
}

// Why the process ended without a result.
absl::Status FailureOf(const ProcessEvent& end, const std::string& log_path) {
  const absl::StatusOr<std::string> log = FileSystem::Real().Read(log_path);
  const std::string reason = log.ok() ? FinalReason(*log) : "";
  const std::string text =
      reason.empty() ? absl::StrCat("conadv-worker ended with ", end.exit.ToString()) : reason;
  return end.exit.code == kExitNever ? WithExitCode(absl::InvalidArgumentError(text), kExitNever)
                                     : absl::InternalError(text);
}

// Until the process has ended.
absl::StatusOr<EvalResult> Watch(const ProcessSpec& spec, ProgressDisplay* display) {
  CONADV_ASSIGN_OR_RETURN(const std::unique_ptr<Supervisor> supervisor, Supervisor::Create());
  CONADV_RETURN_IF_ERROR(supervisor->Start(spec));
  constexpr absl::Duration kStop = absl::Seconds(5);
  EvalState state;
  while (true) {
    const absl::Time now = Clock::Real().Now();
    const ProcessEvent event = supervisor->Next(std::max(display->next(), now));
    const absl::Time then = Clock::Real().Now();
    switch (event.kind) {
      case ProcessEvent::Kind::kLine: TakeLine(event.line, then, &state); break;
      case ProcessEvent::Kind::kExit:
        if (state.result.has_value() && event.exit.ok()) return *std::move(state.result);
        return FailureOf(event, spec.log_path);
      case ProcessEvent::Kind::kInterrupted:
        supervisor->Stop({spec.name}, kStop);
        return StoppedBySignal(event.signal, "interrupted");
      case ProcessEvent::Kind::kWoken:
      case ProcessEvent::Kind::kTimeout: break;
    }
    if (state.progress.examples == 0) {
      display->ShowText([](size_t) { return "starting"; }, then);
    } else {
      display->ShowText([&](size_t width) { return EvalProgressText(state, then, width); }, then);
    }
  }
}

absl::Status Evaluate(const FlagValues& flags, std::ostream& out) {
  CONADV_ASSIGN_OR_RETURN(const WorkDirectory directory, WorkDirectory::Make());
  CONADV_ASSIGN_OR_RETURN(const Subject subject, PrepareSubject(flags, directory.path()));
  CONADV_ASSIGN_OR_RETURN(const ProcessSpec spec, SpecOf(flags, subject, directory.path()));
  const bool json = flags.Switch("json");
  absl::StatusOr<EvalResult> result;
  {
    ProgressDisplay display(&std::cerr, json ? nullptr : TerminalWidth());
    result = Watch(spec, &display);
  }
  CONADV_RETURN_IF_ERROR(result.status());
  out << (json ? absl::StrCat(EvalJson(*result), "\n") : EvalText(*result, subject.job))
      << std::flush;
  return absl::OkStatus();
}

}  // namespace

Command EvalCommand() {
  return {
      "eval",
      "measure clean and robust accuracy of weights",
      "Of a file that train or pull wrote, of a running job, or of any TorchScript model. What is\n"
      "measured is the job's evaluation {}: --set evaluation.suite=STANDARD takes the worst of\n"
      "APGD-CE, targeted APGD-DLR, Square and PGD. Without --job it is the one that train left\n"
      "beside the weights. Progress is shown on standard error.\n",
      "conadv eval --weights=out/fashion-mnist/weights.safetensors --set evaluation.suite=STANDARD",
      WithSecurityFlags(
          {{"weights", FlagKind::kText, "FILE", "", "a safetensors file"},
           {"server", FlagKind::kText, "HOST:PORT", "", "or the coordinator of a running job"},
           {"model", FlagKind::kText, "FILE", "", "or a TorchScript model with its own weights"},
           {"version", FlagKind::kCount, "N", "", "with --server: this version; else the newest"},
           {"lag", FlagKind::kCount, "K", "", "with --server: the newest minus K"},
           JobFlag(),
           SetFlag(),
           {"data_dir", FlagKind::kText, "DIR", "",
            "where the data set is; else the job's dataset.path"},
           {"threads", FlagKind::kPositive, "N", "",
            "compute threads; else as many as there are cores"},
           {"device", FlagKind::kText, "NAME", "cpu", "where to compute: cpu, cuda or cuda:N"},
           {"timeout", FlagKind::kSeconds, "SECONDS", "60",
            "with --server: how long to wait for it"},
           {"json", FlagKind::kSwitch, "", "false",
            "one line of JSON on standard output at the end"}}),
      Evaluate};
}

}  // namespace conadv
