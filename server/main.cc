// SPDX-License-Identifier: Apache-2.0
// conadv-server: one shard of the parameters; shard 0 is also the coordinator.
#include <cstdio>
#include <cstdlib>
#include <string>

#include "absl/flags/flag.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/base/clock.h"
#include "common/base/status_macros.h"
#include "common/job/parse.h"
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
#include "common/shared_memory/shared_arenas.h"
#include "common/wire/addresses.h"
#include "common/wire/grpc_log.h"
#include "server/process/serve.h"

ABSL_FLAG(std::string, job, "", "the job file (protobuf text format); shard 0 needs it");
ABSL_FLAG(std::string, listen, "127.0.0.1:0", "HOST:PORT to listen on; port 0 picks a free one");
ABSL_FLAG(
    std::string, http_listen, "",
    "HOST:PORT for HTTP: the live page, JSON, metrics and probes; port 0 picks a free one; of "
    "several, separated by commas, the first that can be had; without it there is none");
ABSL_FLAG(std::string, servers, "",
          "every shard's address, in order, as in conadv-server-{0..3}.conadv-server:7000; the "
          "first is the coordinator");
ABSL_FLAG(int, shard, -1,
          "which shard this is; without it, the number at the end of the host name");
ABSL_FLAG(int, shards, 0, "how many shards there are; without it, as many as --servers");
ABSL_FLAG(std::string, coordinator, "", "HOST:PORT of shard 0; without it, the first of --servers");
ABSL_FLAG(std::string, checkpoint_dir, "", "where to write checkpoints; overrides the job's");
ABSL_FLAG(
    bool, begin_anew, false,
    "begin at version 0 where shards have checkpoints, but none that is one and the same on "
    "all of them; what is there is set aside. Without it the run says what is there and ends");
ABSL_FLAG(std::string, log_format, "text",
          "text: log lines for people; json: an object a line, for what collects logs");
ABSL_FLAG(int, threads, 2, "threads that add contributions and update weights");
ABSL_FLAG(double, connect_timeout, 300, "seconds to wait for the coordinator");
ABSL_FLAG(absl::Duration, evaluator_patience, absl::ZeroDuration(),
          "how long to wait, after the last step, for an evaluator to join");
ABSL_FLAG(std::string, when_done, "exit",
          "exit: end when the run is over; wait: serve the final weights until SIGTERM");
ABSL_FLAG(std::string, shared_memory, "auto",
          "auto: workers of this machine pull and push through shared memory; off: over the "
          "network, as others do");
ABSL_FLAG(
    std::string, tokens, "",
    "the bearer tokens that it takes, a file with a line for each: ROLE TOKEN, ROLE being viewer, "
    "worker, server or admin; read again when it changes");
ABSL_FLAG(bool, insecure, false,
          "allow an address that others can reach with neither --tokens nor --tls_ca");

namespace conadv {
namespace {

constexpr int kThreads = 27;  // beside the pools'
constexpr int kMostThreads = 256;
constexpr int kMostShards = 256;

absl::Status CheckRange(absl::string_view flag, int value, int least, int most) {
  if (value >= least && value <= most) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("--", flag, ": must be ", least, " to ", most, ", got ", value));
}

// nullptr: off, or this system has none.
absl::StatusOr<SharedArenas*> ReadSharedMemory() {
  CONADV_ASSIGN_OR_RETURN(const bool wanted,
                          ParseAutoFlag("shared_memory", absl::GetFlag(FLAGS_shared_memory)));
  return wanted ? SharedArenas::OfThisProcess() : nullptr;
}

// Who this server is: --servers with the host name, or --shard and --shards.
absl::Status ReadPlace(LaunchOptions* options) {
  std::vector<std::string> servers;
  if (!absl::GetFlag(FLAGS_servers).empty()) {
    CONADV_ASSIGN_OR_RETURN(servers, ExpandAddresses(absl::GetFlag(FLAGS_servers)));
  }
  int shard = absl::GetFlag(FLAGS_shard);
  if (shard < 0 && servers.size() > 1) {
    CONADV_ASSIGN_OR_RETURN(const uint32_t ordinal, OrdinalOf(HostName()));
    shard = static_cast<int>(ordinal);
  }
  const int given = absl::GetFlag(FLAGS_shards);
  CONADV_RETURN_IF_ERROR(CheckRange("shard", absl::GetFlag(FLAGS_shard), -1, kMostShards - 1));
  CONADV_RETURN_IF_ERROR(CheckRange("shards", given, 0, kMostShards));
  options->shard = static_cast<uint32_t>(std::max(shard, 0));
  options->shards = given > 0 ? given : std::max<size_t>(servers.size(), 1);
  if (options->shard >= options->shards) {
    return absl::InvalidArgumentError(absl::StrCat("--shard=", options->shard, " of ",
                                                   options->shards, " shards: they count from 0"));
  }
  if (!servers.empty() && servers.size() != options->shards) {
    return absl::InvalidArgumentError(
        absl::StrCat("--shards=", options->shards, ", but --servers has ", servers.size()));
  }
  options->coordinator = absl::GetFlag(FLAGS_coordinator);
  if (!servers.empty()) {
    options->advertise = servers[options->shard];
    if (options->coordinator.empty()) options->coordinator = servers[0];
  }
  if (options->shard != 0 && options->coordinator.empty()) {
    return absl::InvalidArgumentError("shards other than 0 need --coordinator or --servers");
  }
  return absl::OkStatus();
}

absl::StatusOr<ServerSecurity> ReadSecurity(const LaunchOptions& options) {
  ServerSecurity security;
  security.files = SecurityFlags();
  security.files.tokens = absl::GetFlag(FLAGS_tokens);
  const FileSystem& files = FileSystem::Real();
  const Clock& clock = Clock::Real();
  CONADV_RETURN_IF_ERROR(CheckServerFiles(security.files, IsLoopback(options.listen),
                                          absl::GetFlag(FLAGS_insecure), files, clock.WallNow()));
  if (!security.files.cert.empty()) {
    CONADV_ASSIGN_OR_RETURN(security.authorizer,
                            Authorizer::Create(security.files, &files, &clock));
  }
  // Shard 0 connects to nobody.
  if (options.shard == 0) return security;
  if (!security.files.cert.empty() && security.files.ca.empty()) {
    return absl::InvalidArgumentError(
        "--tls_cert: shards other than 0 also need --tls_ca, to know the coordinator by");
  }
  CONADV_ASSIGN_OR_RETURN(security.credentials,
                          ClientCredentials::Create(security.files, &files, &clock));
  return security;
}

absl::StatusOr<LaunchOptions> ReadFlags() {
  LaunchOptions options;
  CONADV_RETURN_IF_ERROR(ReadPlace(&options));
  CONADV_RETURN_IF_ERROR(CheckRange("threads", absl::GetFlag(FLAGS_threads), 1, kMostThreads));
  options.listen = absl::GetFlag(FLAGS_listen);
  if (const absl::Status listen = CheckListenAddress(options.listen); !listen.ok()) {
    return absl::InvalidArgumentError(absl::StrCat("--listen: ", listen.message()));
  }
  CONADV_ASSIGN_OR_RETURN(options.security, ReadSecurity(options));
  if (options.advertise.empty() && IsWildcard(options.listen)) {
    return absl::InvalidArgumentError(
        absl::StrCat("--listen=", options.listen,
                     " is every address of this machine, and workers have to be told one: "
                     "give --servers=HOST:PORT as they reach it"));
  }
  CONADV_ASSIGN_OR_RETURN(options.shared_memory, ReadSharedMemory());
  options.checkpoint_dir = absl::GetFlag(FLAGS_checkpoint_dir);
  options.threads = absl::GetFlag(FLAGS_threads);
  options.evaluator_patience = absl::GetFlag(FLAGS_evaluator_patience);
  if (options.evaluator_patience < absl::ZeroDuration()) {
    return absl::InvalidArgumentError("--evaluator_patience: must be no less than 0");
  }
  const double connect_timeout = absl::GetFlag(FLAGS_connect_timeout);
  if (!(connect_timeout > 0 && connect_timeout <= 1e6)) {
    return absl::InvalidArgumentError(
        absl::StrCat("--connect_timeout: must be more than 0 seconds, got ", connect_timeout));
  }
  options.begin_anew = absl::GetFlag(FLAGS_begin_anew);
  const std::string when_done = absl::GetFlag(FLAGS_when_done);
  if (when_done != "exit" && when_done != "wait") {
    return absl::InvalidArgumentError(
        absl::StrCat("--when_done must be exit or wait, got ", when_done));
  }
  options.serve_when_done = when_done == "wait";
  if (options.shard == 0 && absl::GetFlag(FLAGS_job).empty()) {
    return absl::InvalidArgumentError("shard 0 needs --job=FILE");
  }
  return options;
}

absl::StatusOr<HttpPortOptions> ReadHttp(const ServerSecurity& security) {
  HttpPortOptions http;
  http.listen = absl::StrSplit(absl::GetFlag(FLAGS_http_listen), ',', absl::SkipEmpty());
  for (const std::string& address : http.listen) {
    absl::Status status = CheckListenAddress(address);
    // The rule of --listen.
    if (status.ok()) {
      status = CheckServerFiles(security.files, IsLoopback(address), absl::GetFlag(FLAGS_insecure),
                                FileSystem::Real(), Clock::Real().WallNow());
    }
    if (!status.ok()) {
      return absl::Status(status.code(), absl::StrCat("--http_listen: ", status.message()));
    }
  }
  http.cert = security.files.cert;
  http.key = security.files.key;
  http.authorizer = security.authorizer;
  return http;
}

absl::StatusOr<v1::Job> ReadJob(const LaunchOptions& options, const ShutdownSignals& signals) {
  if (options.shard != 0) {
    return FetchJob(
        options.coordinator, absl::Seconds(absl::GetFlag(FLAGS_connect_timeout)),
        [&signals] { return signals.received(); }, options.security.credentials);
  }
  const std::string path = absl::GetFlag(FLAGS_job);
  CONADV_ASSIGN_OR_RETURN(const std::string text, FileSystem::Real().Read(path));
  return ParseJobText(text, path);
}

absl::Status Main() {
  CONADV_RETURN_IF_ERROR(SetLogFormat(absl::GetFlag(FLAGS_log_format)));
  CONADV_ASSIGN_OR_RETURN(const LaunchOptions options, ReadFlags());
  SetLogRole("server", absl::StrCat(options.shard));
  // gRPC's own threads, streams', and ours: it aborts where it gets none.
  CONADV_RETURN_IF_ERROR(CheckThreads(kThreads + 2 * options.threads));
  const ShutdownSignals& signals = ShutdownSignals::Install();
  ServeOptions serve;
  serve.launch = options;
  serve.job = [&options, &signals] {
    absl::StatusOr<v1::Job> job = ReadJob(options, signals);
    if (job.ok()) SetLogJob(job->name());
    return job;
  };
  CONADV_ASSIGN_OR_RETURN(serve.http, ReadHttp(options.security));
  serve.patience = absl::Seconds(absl::GetFlag(FLAGS_connect_timeout));
  const auto listening = [](const std::string& address) {
    // Whoever started us reads this line to learn the port.
    std::printf("listening on %s\n", address.c_str());
    std::fflush(stdout);
  };
  serve.watched_at = [](const std::string& url) {
    std::printf("watch it at %s\n", url.c_str());
    std::fflush(stdout);
  };
  const absl::Status status = Serve(serve, listening, [&signals] { return signals.received(); });
  return absl::IsCancelled(status) ? StoppedBySignal(signals.number(), status.message()) : status;
}

}  // namespace
}  // namespace conadv

int main(int argc, char** argv) {
  conadv::FillStandardStreams();
  conadv::ExplainLimits("conadv-server");
  // Each connection takes two.
  conadv::TakeAllDescriptors();
  // gRPC's own dump of a port that is in use would hide our one line about it.
  setenv("GRPC_VERBOSITY", "NONE", /*overwrite=*/0);
  conadv::BeginLogging(argv[0]);
  conadv::LogGrpcAmongOurs();
  if (const auto exit = conadv::ReadCommandLine(
          "conadv-server", "one shard of a run's parameters; shard 0 coordinates", argc, argv)) {
    return *exit;
  }
  const absl::Status status = conadv::Main();
  if (status.ok()) return 0;
  conadv::SayLastWord("conadv-server", status.message());
  // Threads that wait for a disk cannot be joined.
  if (absl::IsDeadlineExceeded(status)) std::_Exit(conadv::ExitCodeOf(status));
  return conadv::ExitCodeOf(status);
}
