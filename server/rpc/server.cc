// SPDX-License-Identifier: Apache-2.0
#include "server/rpc/server.h"

#include <glog/logging.h>
#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server_builder.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/base/random.h"
#include "common/base/status_macros.h"
#include "common/job/parse.h"
#include "common/wire/channel.h"
#include "common/wire/chunk.h"

namespace conadv {
namespace {

// How often a server looks for silent members and for its own stop.
constexpr absl::Duration kLook = absl::Milliseconds(100);
// For calls that are still under way when a server goes.
constexpr absl::Duration kGoodbye = absl::Seconds(2);

}  // namespace

absl::StatusOr<std::unique_ptr<Server>> Server::Start(LaunchOptions options) {
  CONADV_ASSIGN_OR_RETURN(const Job job, ValidateJob(options.job));
  std::unique_ptr<Server> server(new Server(std::move(options), job));
  CONADV_RETURN_IF_ERROR(server->Listen());
  if (server->options_.shard != 0) server->JoinCoordinator();
  return server;
}

Server::Server(LaunchOptions options, const Job& job)
    : options_(std::move(options)), job_(job), incarnation_(RandomIncarnation()) {
  if (options_.shard == 0) {
    coordinator_ = std::make_unique<Coordinator>(
        CoordinatorOptions{job_, options_.shards, options_.evaluator_patience}, &Clock::Real());
  }
  checkpointer_ = std::make_unique<Checkpointer>(
      CheckpointerOptions{
          options_.checkpoint_dir.empty() ? job_.server.checkpoint_dir : options_.checkpoint_dir,
          job_.server.checkpoint_every, job_.name, JobText(options_.job), options_.shard,
          options_.shards},
      &FileSystem::Real(), [this] { return shard_->run(); });
  events_ = std::make_unique<ShardEvents>(job_, coordinator_.get(), checkpointer_.get());
  pool_ = std::make_unique<ThreadPool>(options_.threads);
  shard_ = std::make_unique<Shard>(job_, options_.shard, options_.shards, &Clock::Real(),
                                   pool_.get(), events_.get());
  parameter_service_ =
      std::make_unique<ParameterService>(shard_.get(), &events_->versions(), incarnation_);
  inspector_service_ = std::make_unique<InspectorService>(Parts());
  if (coordinator_ != nullptr) {
    coordinator_service_ = std::make_unique<CoordinatorService>(
        coordinator_.get(), options_.job, incarnation_, &stats_, &events_->metrics());
  }
}

Server::~Server() {
  session_.reset();
  if (server_ == nullptr) return;
  events_->versions().Close();
  events_->metrics().Close();
  shard_->snapshots().Close(absl::UnavailableError("this server is going away"));
  server_->Shutdown(absl::ToChronoTime(absl::Now() + kGoodbye));
}

ServerParts Server::Parts() {
  return {shard_.get(),       events_.get(), checkpointer_.get(), &Clock::Real(), incarnation_,
          coordinator_.get(), &stats_};
}

absl::Status Server::Listen() {
  grpc::EnableDefaultHealthCheckService(true);
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort(options_.listen, grpc::InsecureServerCredentials(), &port);
  // Two servers on one port would share its connections between them.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 5'000);
  // A peer that vanished without a word must not hold buffers and versions.
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, 20'000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 10'000);
  builder.SetMaxReceiveMessageSize(kMaxMessageBytes);
  builder.SetMaxSendMessageSize(kMaxMessageBytes);
  builder.RegisterService(parameter_service_.get());
  builder.RegisterService(inspector_service_.get());
  if (coordinator_service_ != nullptr) builder.RegisterService(coordinator_service_.get());
  server_ = builder.BuildAndStart();
  if (server_ == nullptr || port == 0) {
    return absl::UnavailableError(absl::StrCat(
        "cannot listen on ", options_.listen,
        ": the port is in use, or the address is not this machine's; port 0 picks a free one"));
  }
  address_ = absl::StrCat(options_.listen.substr(0, options_.listen.rfind(':')), ":", port);
  if (coordinator_ != nullptr) {
    coordinator_->SetAddress(options_.advertise.empty() ? address_ : options_.advertise);
  }
  return absl::OkStatus();
}

void Server::JoinCoordinator() {
  v1::Hello hello;
  hello.set_role(v1::SHARD);
  hello.set_name(absl::StrCat("shard-", options_.shard));
  hello.set_incarnation(incarnation_.value());
  hello.set_shard(options_.shard);
  hello.set_address(options_.advertise.empty() ? address_ : options_.advertise);
  session_ = std::make_unique<ShardSession>(MakeChannel(options_.coordinator), options_.coordinator,
                                            std::move(hello), shard_.get());
}

absl::Status Server::WaitUntilOver(absl::Duration timeout) {
  if (session_ != nullptr) return session_->WaitUntilOver(timeout);
  const absl::Status status = coordinator_->WaitUntilOver(timeout);
  coordinator_->Tick();
  return status;
}

absl::Status Server::WaitForLastVersion(const std::function<bool()>& stopped) {
  // The run is over for everyone else only when every contribution is in, so this is one update
  // away.
  const std::shared_ptr<const Shard::Run> run = shard_->run();
  if (run == nullptr) return absl::OkStatus();
  Mutex mutex;
  CondVar changed;
  bool there = false;
  const SnapshotStore::WaitId wait = shard_->snapshots().Get(
      {Selector::kAtLeast, run->last.value()}, [&](const absl::StatusOr<Snapshot>&) {
        MutexLock lock(&mutex);
        there = true;
        changed.NotifyAll();
      });
  bool timed_out = false;
  {
    MutexLock lock(&mutex);
    while (!there && !stopped()) changed.WaitFor(&mutex, kLook);
    timed_out = !there;
  }
  if (timed_out && !shard_->snapshots().Cancel(wait)) {
    // The callback is running: it ends by setting `there`.
    MutexLock lock(&mutex);
    while (!there) changed.Wait(&mutex);
  }
  return absl::OkStatus();
}

absl::Status Server::Run(const std::function<bool()>& stopped) {
  absl::Status status = absl::DeadlineExceededError("");
  while (absl::IsDeadlineExceeded(status) && !stopped()) status = WaitUntilOver(kLook);
  if (status.ok()) CONADV_RETURN_IF_ERROR(WaitForLastVersion(stopped));
  checkpointer_->Flush();
  if (session_ != nullptr) session_->Leave();
  if (absl::IsDeadlineExceeded(status)) return absl::OkStatus();  // stopped
  if (!status.ok()) return status;
  LOG(INFO) << "shard " << options_.shard << ": the run is over";
  while (options_.serve_when_done && !stopped()) {
    Mutex mutex;
    CondVar never;
    MutexLock lock(&mutex);
    never.WaitFor(&mutex, kLook);
  }
  return absl::OkStatus();
}

}  // namespace conadv
