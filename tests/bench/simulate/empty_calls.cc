// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/simulate/empty_calls.h"

#include <grpcpp/client_context.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server_builder.h>

#include <chrono>
#include <cstdio>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/os/signals.h"
#include "common/thread/wait.h"
#include "common/wire/channel.h"
#include "tests/bench/simulate/cluster.h"
#include "tests/bench/simulate/process_figures.h"
#include "tests/bench/table/row.h"

namespace conadv::bench {
namespace {

constexpr int kCalls = 2000;

class EmptyService final : public v1::Coordinator::CallbackService {
 public:
  grpc::ServerUnaryReactor* GetJob(grpc::CallbackServerContext* context, const v1::GetJobRequest*,
                                   v1::GetJobResponse*) override {
    grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }
};

double Call(v1::Coordinator::Stub* stub) {
  const auto begin = std::chrono::steady_clock::now();
  grpc::ClientContext context;
  context.set_wait_for_ready(true);
  v1::GetJobResponse response;
  if (!stub->GetJob(&context, {}, &response).ok()) OrDie<int>(absl::UnavailableError("a call"));
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

std::vector<std::string> Command(int core) {
  std::vector<std::string> command;
  if (core >= 0) command = {"/usr/bin/taskset", "-c", absl::StrCat(core)};
  command.emplace_back(CONADV_BIN_DIR "/bench_simulate");
  command.emplace_back("--serve_empty_calls");
  return command;
}

}  // namespace

EmptyCalls::EmptyCalls(int core)
    : server_(Command(core)),
      address_(OrDie(server_.ReadAfter("listening on ", absl::Minutes(1)))),
      stub_(v1::Coordinator::NewStub(MakeChannel(address_))) {}

double EmptyCalls::RoundTrip() {
  std::vector<double> calls;
  for (int i = 0; i < kCalls; ++i) calls.push_back(Call(stub_.get()));
  return Median(std::move(calls));
}

double EmptyCalls::CallsOfACore(int callers) {
  const double before = CoreSeconds(server_.pid());
  std::vector<std::thread> threads;
  for (int caller = 0; caller < callers; ++caller) {
    threads.emplace_back([this] {
      const auto stub = v1::Coordinator::NewStub(MakeChannel(address_));
      for (int i = 0; i < kCalls; ++i) Call(stub.get());
    });
  }
  for (std::thread& thread : threads) thread.join();
  return static_cast<double>(callers) * kCalls / (CoreSeconds(server_.pid()) - before);
}

int ServeEmptyCalls() {
  const ShutdownSignals& signals = ShutdownSignals::Install();
  EmptyService service;
  int port = 0;
  grpc::ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  builder.RegisterService(&service);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (server == nullptr) return 1;
  std::printf("listening on 127.0.0.1:%d\n", port);
  std::fflush(stdout);
  WaitFor(absl::InfiniteDuration(), [&signals] { return signals.received(); });
  server->Shutdown();
  return 0;
}

}  // namespace conadv::bench
