// SPDX-License-Identifier: Apache-2.0
#include "tests/soak/soak_run.h"

#include <grpcpp/client_context.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "common/job/parse.h"
#include "common/os/file.h"
#include "common/thread/wait.h"
#include "common/wire/channel.h"
#include "common/wire/deadline.h"
#include "conadv/v1/inspector.grpc.pb.h"
#include "conadv/v1/parameter_server.grpc.pb.h"
#include "tests/soak/wire_worker.h"
#include "tests/support/process.h"
#include "tests/support/temp_dir.h"

namespace conadv {
namespace {

constexpr absl::Duration kSlowReader = absl::Seconds(2);
constexpr absl::Duration kLook = absl::Milliseconds(100);
// Far above what a run takes: only a hang reaches it.
constexpr absl::Duration kPatience = absl::Minutes(20);

uint64_t ResidentBytes(pid_t process) {
  const std::string text =
      FileSystem::Real().Read(absl::StrCat("/proc/", process, "/statm")).value_or("");
  const std::vector<std::string> pages = absl::StrSplit(text, ' ');
  uint64_t resident = 0;
  if (pages.size() < 2 || !absl::SimpleAtoi(pages[1], &resident)) return 0;
  return resident * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
}

void Look(v1::Inspector::Stub* stub, pid_t server, uint64_t steps, SoakResult* result) {
  grpc::ClientContext context;
  context.set_deadline(absl::ToChronoTime(absl::Now() + absl::Seconds(10)));
  v1::StatusResponse status;
  if (!stub->Status(&context, {}, &status).ok()) return;
  result->limit_bytes = status.memory_limit_bytes();
  result->most_bytes = std::max(result->most_bytes, status.memory_bytes());
  result->seconds = status.seconds();
  const uint64_t resident = ResidentBytes(server);
  result->resident_most = std::max(result->resident_most, resident);
  if (status.version() <= steps / 10) {
    result->resident_early = std::max(result->resident_early, resident);
  }
}

// When the versions were published, to the end of the run.
void WatchSteps(const std::shared_ptr<grpc::Channel>& channel, SoakResult* result) {
  grpc::ClientContext context;
  context.set_deadline(absl::ToChronoTime(absl::Now() + kPatience));
  const auto stub = v1::ParameterServer::NewStub(channel);
  const auto stream = stub->Watch(&context, {});
  int64_t before = 0;
  v1::WatchResponse version;
  while (stream->Read(&version)) {
    const int64_t published = version.published_unix_micros();
    if (before != 0) result->steps.push_back(1e-6 * static_cast<double>(published - before));
    before = published;
  }
  stream->Finish();
}

// Reads one version after another until `stop`; `wait` first, so that each reads another version.
void ReadSlowly(const std::string& address, absl::Duration wait, const std::atomic<bool>* stop) {
  const auto stopped = [stop] { return stop->load(); };
  const auto stub = v1::ParameterServer::NewStub(MakeChannel(address));
  WaitFor(wait, stopped);
  while (!stopped()) {
    grpc::ClientContext context;
    context.set_deadline(DeadlineIn(kPatience));
    v1::PullRequest request;
    request.set_latest(true);
    const auto stream = stub->Pull(&context, request);
    v1::PullResponse response;
    while (stream->Read(&response)) {
      WaitFor(kSlowReader, stopped);
      if (stopped()) context.TryCancel();
    }
    stream->Finish();
  }
}

}  // namespace

SoakResult RunSoak(const SoakOptions& options) {
  const TempDir directory;
  const std::string job = directory / "job.textproto";
  WriteFile(job, JobText(JobOf(options.run)));
  SoakResult result;
  std::vector<std::string> command = {options.server, "--job=" + job};
  if (options.checkpoints) command.push_back("--checkpoint_dir=" + (directory / "checkpoints"));
  Process server(command);
  const auto address = server.ReadAfter("listening on ", absl::Minutes(1));
  if (!address.ok()) {
    result.problem = std::string(address.status().message());
    return result;
  }
  result.resident_before = ResidentBytes(server.pid());
  std::vector<std::unique_ptr<WireWorker>> workers;
  std::vector<absl::Status> ends(options.workers);
  std::vector<std::thread> threads;
  for (uint32_t i = 0; i < options.workers; ++i) {
    workers.push_back(
        std::make_unique<WireWorker>(*address, absl::StrCat("worker-", i), options.run));
    threads.emplace_back([&, i] { ends[i] = workers[i]->Run(); });
  }
  const std::shared_ptr<grpc::Channel> channel = MakeChannel(*address);
  const auto stub = v1::Inspector::NewStub(channel);
  threads.emplace_back([&channel, &result] { WatchSteps(channel, &result); });
  std::atomic<bool> stop{false};
  for (uint32_t i = 0; i < options.slow_readers; ++i) {
    threads.emplace_back(
        [&address, &stop, i] { ReadSlowly(*address, (i + 1) * kSlowReader, &stop); });
  }
  const absl::Time begin = absl::Now();
  absl::StatusOr<ExitStatus> exit = absl::DeadlineExceededError("");
  while (!exit.ok() && absl::Now() - begin < kPatience) {
    Look(stub.get(), server.pid(), options.run.steps, &result);
    exit = server.Wait(kLook);
  }
  if (!exit.ok()) {
    result.problem = "it hangs";
    server.Kill();
  } else if (!exit->ok()) {
    result.problem = absl::StrCat("it ended with ", exit->ToString(), "\n", server.error());
  }
  stop = true;
  for (std::thread& thread : threads) thread.join();
  uint64_t units = 0;
  for (uint32_t i = 0; i < options.workers; ++i) {
    if (!ends[i].ok())
      absl::StrAppend(&result.problem, "worker-", i, ": ", ends[i].message(), "\n");
    units += workers[i]->report().units;
  }
  if (units < options.run.steps * options.run.slots) {
    absl::StrAppend(&result.problem, "only ", units, " units were pushed");
  }
  return result;
}

StepTimes StepTimesOf(std::vector<double> steps) {
  if (steps.empty()) return {};
  std::sort(steps.begin(), steps.end());
  return {steps[steps.size() / 2], steps.back()};
}

std::string CheckMemory(const SoakResult& result) {
  if (result.limit_bytes == 0) return "the server says nothing of its memory";
  if (result.most_bytes > result.limit_bytes) {
    return absl::StrCat("it took ", result.most_bytes, " bytes, more than its ",
                        result.limit_bytes);
  }
  const uint64_t allowed = result.resident_before + result.limit_bytes + result.limit_bytes / 10;
  if (result.resident_most <= allowed) return "";
  return absl::StrCat("its process grew from ", result.resident_before, " to ",
                      result.resident_most, " bytes, past ", allowed);
}

}  // namespace conadv
