// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/simulate/empty_calls.h"

#include <grpcpp/client_context.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server_builder.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <future>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/base/clock.h"
#include "common/os/signals.h"
#include "common/thread/mutex.h"
#include "common/thread/wait.h"
#include "common/wire/channel.h"
#include "tests/bench/simulate/cluster.h"
#include "tests/bench/simulate/process_figures.h"
#include "tests/bench/table/row.h"

namespace conadv::bench {
namespace {

constexpr int kCalls = 2000;

// Metadata of a call that waits until so many do.
constexpr char kWaiters[] = "waiters";
// From the last one's arrival until all are answered, as a version comes later than it is asked
// for.
constexpr absl::Duration kRest = absl::Milliseconds(2);
constexpr int kWakes = 300;

class EmptyService final : public v1::Coordinator::CallbackService {
 public:
  ~EmptyService() override {
    if (answers_.joinable()) answers_.join();
  }

  grpc::ServerUnaryReactor* GetJob(grpc::CallbackServerContext* context, const v1::GetJobRequest*,
                                   v1::GetJobResponse* response) override {
    grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
    const auto waiters = context->client_metadata().find(kWaiters);
    if (waiters == context->client_metadata().end()) {
      reactor->Finish(grpc::Status::OK);
      return reactor;
    }
    size_t all = 0;
    if (!absl::SimpleAtoi(absl::string_view(waiters->second.data(), waiters->second.size()),
                          &all)) {
      reactor->Finish(grpc::Status(grpc::StatusCode::INVALID_ARGUMENT, kWaiters));
      return reactor;
    }
    MutexLock lock(&mutex_);
    waiting_.push_back({reactor, response});
    if (waiting_.size() < all) return reactor;
    // Those of the time before have had their answers, or these would not be here.
    if (answers_.joinable()) answers_.join();
    answers_ = std::thread([waiting = std::exchange(waiting_, {})] {
      WaitFor(kRest, [] { return false; });
      const std::string now = absl::StrCat(absl::ToUnixNanos(Clock::Real().WallNow()));
      for (const Waiting& call : waiting) {
        call.response->mutable_job()->set_name(now);
        call.reactor->Finish(grpc::Status::OK);
      }
    });
    return reactor;
  }

 private:
  struct Waiting {
    grpc::ServerUnaryReactor* reactor;
    v1::GetJobResponse* response;
  };
  Mutex mutex_;
  std::vector<Waiting> waiting_ ABSL_GUARDED_BY(mutex_);
  std::thread answers_ ABSL_GUARDED_BY(mutex_);
};

struct WaitingCall {
  grpc::ClientContext context;
  v1::GetJobRequest request;
  v1::GetJobResponse response;
  std::promise<absl::Time> answered;
};

// Seconds from the answers' beginning until the last one was there.
double WakeOnce(const std::vector<std::unique_ptr<v1::Coordinator::Stub>>& stubs) {
  std::vector<std::unique_ptr<WaitingCall>> calls;
  for (const auto& stub : stubs) {
    calls.push_back(std::make_unique<WaitingCall>());
    WaitingCall* const call = calls.back().get();
    call->context.AddMetadata(kWaiters, absl::StrCat(stubs.size()));
    stub->async()->GetJob(&call->context, &call->request, &call->response,
                          [call](const grpc::Status& status) {
                            if (!status.ok()) OrDie<int>(absl::UnavailableError("a call"));
                            call->answered.set_value(Clock::Real().WallNow());
                          });
  }
  absl::Time last = absl::InfinitePast();
  int64_t began = 0;
  for (const auto& call : calls) {
    last = std::max(last, call->answered.get_future().get());
    if (!absl::SimpleAtoi(call->response.job().name(), &began))
      OrDie<int>(absl::InternalError("time"));
  }
  return absl::ToDoubleSeconds(last - absl::FromUnixNanos(began));
}

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

double EmptyCalls::WakeAll(int callers) {
  std::vector<std::unique_ptr<v1::Coordinator::Stub>> stubs;
  for (int i = 0; i < callers; ++i) {
    stubs.push_back(v1::Coordinator::NewStub(MakeChannel(address_)));
    Call(stubs.back().get());  // connects
  }
  std::vector<double> times;
  for (int i = 0; i < kWakes; ++i) times.push_back(WakeOnce(stubs));
  return Median(std::move(times));
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
