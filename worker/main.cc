// SPDX-License-Identifier: Apache-2.0
// conadv-worker: computes units of work, or evaluates published versions.
#include <glog/logging.h>
#include <signal.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "common/base/clock.h"
#include "common/base/status_macros.h"
#include "common/os/file.h"
#include "common/os/host_name.h"
#include "common/os/limits.h"
#include "common/os/signals.h"
#include "common/program/auto_flag.h"
#include "common/program/exit_code.h"
#include "common/program/flags.h"
#include "common/program/log_form.h"
#include "common/program/security_flags.h"
#include "common/program/standard_streams.h"
#include "common/wire/addresses.h"
#include "common/wire/channel.h"
#include "common/wire/grpc_log.h"
#include "worker/device/open/open_device.h"
#include "worker/member/evaluator_role.h"
#include "worker/member/member.h"
#include "worker/member/torch_trainer.h"
#include "worker/member/transports.h"
#include "worker/simulate/simulated_worker.h"
#include "worker/standalone/evaluate_file.h"

ABSL_FLAG(std::string, coordinator, "", "HOST:PORT of shard 0");
ABSL_FLAG(std::string, servers, "",
          "every shard's address, as in conadv-server-{0..3}.conadv-server:7000; the first is the "
          "coordinator");
ABSL_FLAG(std::string, role, "worker", "worker: train; evaluator: evaluate published versions");
ABSL_FLAG(std::string, log_format, "text",
          "text: log lines for people; json: an object a line, for what collects logs");
ABSL_FLAG(int, threads, 1, "compute threads, 1 to 256; on a GPU each has a stream");
ABSL_FLAG(
    int, loaders, 0,
    "threads that load and decode examples ahead of the compute threads, 1 to 256; 0: as many as "
    "those");
ABSL_FLAG(std::string, device, "cpu", "where to compute: cpu; cuda: the first GPU; cuda:N: GPU N");
ABSL_FLAG(std::string, data_dir, "", "where the data set is; overrides the job's dataset.path");
ABSL_FLAG(std::string, export, "", "evaluator: where to write the final model, for torch.jit.load");
ABSL_FLAG(std::string, weights, "",
          "evaluator: a safetensors file to evaluate, with --job and without a run");
ABSL_FLAG(std::string, job, "",
          "evaluator: the job of --weights, in protobuf text format; without them its model's own "
          "are evaluated");
ABSL_FLAG(std::string, name, "", "what people see; by default the host's name and the process id");
ABSL_FLAG(
    std::string, simulate, "",
    "compute nothing and take this long for it, with a model of that size, as in "
    "attack=50ms,clean=50ms,adversarial=50ms,parameters=25M,lanes=3; lanes stand for --threads. "
    "All workers of the run have to");
ABSL_FLAG(double, connect_timeout, 60, "seconds to go on without a coordinator that answers");
ABSL_FLAG(std::string, shared_memory, "auto",
          "auto: pull from and push to servers of this machine through shared memory; off: over "
          "the network");
ABSL_FLAG(std::string, overlap, "auto",
          "auto: large gradients leave while the rest of their pass is computed; off: after it");
ABSL_FLAG(std::string, when_done, "exit",
          "exit: end when the run is over; wait: stay until SIGTERM");

namespace conadv {
namespace {

constexpr int kThreads = 13;  // beside those that compute; of each shard's one more
// For a computation that is still under way when all is over.
constexpr absl::Duration kStop = absl::Seconds(5);

struct Flags {
  std::string coordinator;
  std::vector<std::string> servers;  // empty: only the coordinator is known
  std::string name;
  std::string data_dir;
  std::string export_path;
  std::string job_path;      // not empty: evaluate
  std::string weights_path;  // these, without a run
  bool evaluator = false;
  bool wait_when_done = false;
  bool shared_memory = true;
  bool overlap = true;
  SecurityFiles security;
  int threads = 1;
  int loaders = 1;
  std::optional<Simulation> simulation;
  absl::Duration connect_timeout;
};

absl::Status OneOf(absl::string_view flag, const std::string& value, absl::string_view a,
                   absl::string_view b) {
  if (value == a || value == b) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("--", flag, " must be ", a, " or ", b, ", got ", value));
}

absl::Status InRange(absl::string_view flag, int value, int least) {
  constexpr int kMost = 256;
  if (value >= least && value <= kMost) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("--", flag, ": must be ", least, " to ", kMost, ", got ", value));
}

std::string DefaultName() { return absl::StrCat(HostName(), "-", getpid()); }

// Where the run is, which an evaluator of a file has none of.
absl::Status ReadRunFlags(Flags* flags) {
  flags->job_path = absl::GetFlag(FLAGS_job);
  flags->weights_path = absl::GetFlag(FLAGS_weights);
  flags->coordinator = absl::GetFlag(FLAGS_coordinator);
  const bool run = !flags->coordinator.empty() || !absl::GetFlag(FLAGS_servers).empty();
  if (!flags->job_path.empty() || !flags->weights_path.empty()) {
    if (run || absl::GetFlag(FLAGS_role) != "evaluator" || flags->job_path.empty()) {
      return absl::InvalidArgumentError(
          "--weights needs --role=evaluator and --job, and no --coordinator or --servers");
    }
    return absl::OkStatus();
  }
  if (!run) {
    return absl::InvalidArgumentError("one of --coordinator=HOST:PORT and --servers is needed");
  }
  if (!absl::GetFlag(FLAGS_servers).empty()) {
    CONADV_ASSIGN_OR_RETURN(flags->servers, ExpandAddresses(absl::GetFlag(FLAGS_servers)));
  }
  if (flags->coordinator.empty()) {
    flags->coordinator = flags->servers.front();
    return absl::OkStatus();
  }
  return ExpandAddresses(flags->coordinator).status();
}

absl::StatusOr<Flags> ReadFlags() {
  Flags flags;
  CONADV_RETURN_IF_ERROR(ReadRunFlags(&flags));
  CONADV_RETURN_IF_ERROR(OneOf("role", absl::GetFlag(FLAGS_role), "worker", "evaluator"));
  CONADV_RETURN_IF_ERROR(OneOf("when_done", absl::GetFlag(FLAGS_when_done), "exit", "wait"));
  CONADV_ASSIGN_OR_RETURN(flags.shared_memory,
                          ParseAutoFlag("shared_memory", absl::GetFlag(FLAGS_shared_memory)));
  CONADV_ASSIGN_OR_RETURN(flags.overlap, ParseAutoFlag("overlap", absl::GetFlag(FLAGS_overlap)));
  flags.security = SecurityFlags();
  flags.evaluator = absl::GetFlag(FLAGS_role) == "evaluator";
  flags.wait_when_done = absl::GetFlag(FLAGS_when_done) == "wait";
  flags.threads = absl::GetFlag(FLAGS_threads);
  CONADV_RETURN_IF_ERROR(InRange("threads", flags.threads, 1));
  flags.loaders = absl::GetFlag(FLAGS_loaders);
  CONADV_RETURN_IF_ERROR(InRange("loaders", flags.loaders, 0));
  if (flags.loaders == 0) flags.loaders = flags.threads;
  if (const std::string simulate = absl::GetFlag(FLAGS_simulate); !simulate.empty()) {
    if (flags.evaluator) {
      return absl::InvalidArgumentError(
          "--simulate needs --role=worker: there is nothing to evaluate");
    }
    CONADV_ASSIGN_OR_RETURN(flags.simulation, ParseSimulation(simulate));
    flags.threads = flags.simulation->lanes;
  }
  const double seconds = absl::GetFlag(FLAGS_connect_timeout);
  if (!(seconds > 0 && seconds <= 1e6)) {
    return absl::InvalidArgumentError(
        absl::StrCat("--connect_timeout: must be more than 0 seconds, got ", seconds));
  }
  flags.connect_timeout = absl::Seconds(seconds);
  flags.data_dir = absl::GetFlag(FLAGS_data_dir);
  flags.export_path = absl::GetFlag(FLAGS_export);
  if (!flags.export_path.empty() && !flags.evaluator) {
    return absl::InvalidArgumentError("--export needs --role=evaluator");
  }
  flags.name = absl::GetFlag(FLAGS_name).empty() ? DefaultName() : absl::GetFlag(FLAGS_name);
  return flags;
}

// What this process does in the run, and the shards that it talks to for it.
struct Part {
  std::unique_ptr<ShardClients> clients;  // outlive the role
  std::unique_ptr<MemberRole> role;
};

absl::StatusOr<Part> MakePart(const Flags& flags, RunInfo run, std::shared_ptr<Device> device,
                              const WorkerTransports& transports, CoordinatorClient* coordinator) {
  Part part;
  const auto connect = [&flags, &part, &transports](const TrainingSetup& setup) {
    part.clients =
        std::make_unique<ShardClients>(transports.list(), setup.run.servers, setup.layout->hash(),
                                       flags.name, transports.gradients());
    return part.clients.get();
  };
  if (flags.simulation.has_value()) {
    CONADV_ASSIGN_OR_RETURN(TrainingSetup setup, SimulateSetup(std::move(run), *flags.simulation));
    ShardClients* const clients = connect(setup);
    part.role = MakeSimulatedTrainer(std::move(setup), flags.name, *flags.simulation, clients);
    return part;
  }
  CONADV_ASSIGN_OR_RETURN(Setup setup,
                          MakeSetup(std::move(run), flags.data_dir, std::move(device)));
  ShardClients* const clients = connect(setup);
  if (!flags.evaluator) {
    part.role =
        MakeTorchTrainer(std::move(setup), flags.name, flags.threads, flags.loaders, clients);
    return part;
  }
  CONADV_ASSIGN_OR_RETURN(
      part.role,
      EvaluatorRole::Create(std::move(setup), {flags.name, flags.threads, flags.export_path},
                            coordinator, clients));
  return part;
}

int Complain(const absl::Status& status, int exit_code) {
  SayLastWord("conadv-worker", status.message());
  return exit_code;
}

volatile std::sig_atomic_t exit_code_of_alarm = 0;

// Whatever happens then: a compute thread may hang in a computation that nobody needs any more.
// Zero takes it back.
void EndAfter(absl::Duration time, int exit_code) {
  exit_code_of_alarm = exit_code;
  signal(SIGALRM, [](int) { std::_Exit(exit_code_of_alarm); });
  alarm(static_cast<unsigned>(absl::ToInt64Seconds(time)));
}

absl::Status EvaluateWithoutRun(const Flags& flags, std::shared_ptr<Device> device) {
  CONADV_RETURN_IF_ERROR(CheckThreads(kThreads + flags.threads));
  const ShutdownSignals& signals = ShutdownSignals::Install();
  FileEvaluation evaluation;
  evaluation.job = flags.job_path;
  evaluation.weights = flags.weights_path;
  evaluation.data_dir = flags.data_dir;
  evaluation.threads = flags.threads;
  evaluation.device = std::move(device);
  evaluation.stopped = [&signals] { return signals.received(); };
  const absl::Status status = EvaluateFile(evaluation, [](const std::string& line) {
    std::printf("%s\n", line.c_str());
    std::fflush(stdout);
  });
  if (status.ok() || !signals.received()) return status;
  return StoppedBySignal(signals.number(), "stopped before the evaluation was over");
}

absl::Status TakePart(const Flags& flags, std::shared_ptr<Device> device) {
  // gRPC's own and ours: it aborts where it gets none.
  CONADV_RETURN_IF_ERROR(CheckThreads(kThreads + flags.threads));
  const ShutdownSignals& signals = ShutdownSignals::Install();
  const auto stopped = [&signals] { return signals.received(); };
  CONADV_ASSIGN_OR_RETURN(
      const ClientCredentials credentials,
      ClientCredentials::Create(flags.security, &FileSystem::Real(), &Clock::Real()));
  CoordinatorClient coordinator(MakeChannel(flags.coordinator, credentials), flags.coordinator,
                                credentials);
  absl::StatusOr<RunInfo> run = coordinator.GetRun(flags.connect_timeout, stopped);
  const auto by_signal = [&signals] {
    return StoppedBySignal(signals.number(), "stopped before the run was over");
  };
  if (stopped()) return by_signal();
  CONADV_RETURN_IF_ERROR(run.status());
  const RunInfo info = *run;
  SetLogJob(info.job.name);
  const WorkerTransports transports(flags.shared_memory, flags.overlap, credentials);
  CONADV_ASSIGN_OR_RETURN(const Part part, MakePart(flags, *std::move(run), std::move(device),
                                                    transports, &coordinator));
  MemberOptions options;
  options.connect_timeout = flags.connect_timeout;
  options.servers = flags.servers;
  Member member(info, &coordinator, part.role.get(), part.clients->timer(),
                part.clients->statistics(), stopped, options);
  const absl::Status status = member.Run();
  if (!status.ok()) {
    // Nothing in hand is of use any more, and a thread that is stuck would keep us from ending.
    std::_Exit(Complain(status, ExitCodeOf(status)));
  }
  if (member.run_is_over()) {
    std::printf("%s\n", kRunIsOver);
    std::fflush(stdout);
  }
  const bool done = member.run_is_over() || member.drained();
  const absl::Status end = done ? absl::OkStatus() : by_signal();
  EndAfter(kStop, ExitCodeOf(end));
  part.role->Stop();
  EndAfter(absl::ZeroDuration(), 0);
  if (flags.wait_when_done) member.WaitForStop(absl::InfiniteDuration());
  return end;
}

}  // namespace
}  // namespace conadv

int main(int argc, char** argv) {
  conadv::FillStandardStreams();
  conadv::ExplainLimits("conadv-worker");
  FLAGS_minloglevel = google::GLOG_WARNING;
  // gRPC's own lines, one for each failed handshake, would hide ours.
  setenv("GRPC_VERBOSITY", "NONE", /*overwrite=*/0);
  conadv::BeginLogging(argv[0]);
  conadv::LogGrpcAmongOurs();
  if (const auto exit = conadv::ReadCommandLine(
          "conadv-worker", "computes a run's attacks and gradients, or evaluates it", argc, argv)) {
    return *exit;
  }
  const absl::Status format = conadv::SetLogFormat(absl::GetFlag(FLAGS_log_format));
  if (!format.ok()) return conadv::Complain(format, conadv::kExitNever);
  const absl::StatusOr<conadv::Flags> flags = conadv::ReadFlags();
  if (!flags.ok()) return conadv::Complain(flags.status(), conadv::kExitNever);
  conadv::SetLogRole(flags->evaluator ? "evaluator" : "worker", flags->name);
  auto device = conadv::OpenDevice(absl::GetFlag(FLAGS_device));
  if (!device.ok()) return conadv::Complain(device.status(), conadv::kExitNever);
  const absl::Status status = flags->job_path.empty()
                                  ? conadv::TakePart(*flags, *std::move(device))
                                  : conadv::EvaluateWithoutRun(*flags, *std::move(device));
  return status.ok() ? 0 : conadv::Complain(status, conadv::ExitCodeOf(status));
}
