// SPDX-License-Identifier: Apache-2.0
#include "server/process/server.h"

#include <glog/logging.h>
#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/server_builder.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/random.h"
#include "common/base/status_macros.h"
#include "common/job/parse.h"
#include "common/protocol/tau_schedule.h"
#include "common/thread/wait.h"
#include "common/wire/channel.h"
#include "common/wire/chunk.h"
#include "common/wire/deadline.h"
#include "server/agent/settings_journal.h"
#include "server/observe/readiness.h"
#include "server/rpc/access/server_credentials.h"
#include "server/rpc/membership/member_proto.h"
#include "server/shard/memory.h"

namespace conadv {
namespace {

// How often a server looks for silent members and for its own stop.
constexpr absl::Duration kLook = absl::Milliseconds(100);
// For calls that are still under way when a server goes, and when it makes way for its successor.
constexpr absl::Duration kGoodbye = absl::Seconds(2);
constexpr absl::Duration kHaste = absl::Milliseconds(100);
// For a last checkpoint before a stop: within the grace that those who stop servers usually give.
constexpr absl::Duration kSave = absl::Seconds(15);
// For a disk, when nothing is left to do but to wait for it.
constexpr absl::Duration kDisk = absl::Minutes(1);
// For an addition or an update that is under way: they take seconds at most.
constexpr absl::Duration kTask = absl::Seconds(10);
// Whose health says whether the server is ready; that of "" says that it listens.
constexpr char kReadyService[] = "conadv.v1.ParameterServer";

std::string CheckpointDirectory(const LaunchOptions& options, const Job& job) {
  return options.checkpoint_dir.empty() ? job.server.checkpoint_dir : options.checkpoint_dir;
}

CoordinatorOptions CoordinatorOptionsOf(const LaunchOptions& launch, const Job& job,
                                        SettingsRecord settings, Lineage lineage) {
  CoordinatorOptions options;
  options.job = job;
  options.shards = launch.shards;
  options.evaluator_patience = launch.evaluator_patience;
  options.lineage = lineage;
  options.begin_anew = launch.begin_anew;
  options.settings = std::move(settings);
  return options;
}

// What was set while the run trained. Without it a run would go on as another one.
absl::StatusOr<SettingsRecord> ReadSettings(const LaunchOptions& launch, const Job& job) {
  if (launch.shard != 0) return SettingsRecord();
  absl::StatusOr<SettingsRecord> settings =
      SettingsJournal(CheckpointDirectory(launch, job), &FileSystem::Real()).Read();
  if (!absl::IsDataLoss(settings.status())) return settings;
  return absl::InvalidArgumentError(
      absl::StrCat(settings.status().message(),
                   "; it has what conadv set changed: repair it, or move it away to go on with the "
                   "job's own values"));
}

}  // namespace

absl::StatusOr<std::unique_ptr<Server>> Server::Start(LaunchOptions options) {
  CONADV_ASSIGN_OR_RETURN(const Job job, ValidateJob(options.job));
  CONADV_ASSIGN_OR_RETURN(SettingsRecord settings, ReadSettings(options, job));
  std::unique_ptr<Server> server(new Server(std::move(options), job, std::move(settings)));
  CONADV_RETURN_IF_ERROR(server->Listen());
  CONADV_RETURN_IF_ERROR(server->JoinCoordinator());
  server->TellHealth();
  if (server->options_.window != nullptr) server->options_.window->Open(server->Parts());
  return server;
}

Server::Server(LaunchOptions options, const Job& job, SettingsRecord settings)
    : options_(std::move(options)),
      job_(job),
      incarnation_(RandomIncarnation()),
      first_messages_(&Clock::Real(), options_.first_message_patience),
      process_bytes_(options_.process_bytes != 0 ? options_.process_bytes : resident_.bytes()) {
  if (options_.shard == 0) {
    coordinator_ = std::make_unique<Coordinator>(
        CoordinatorOptionsOf(options_, job_, std::move(settings), Lineage(incarnation_.value())),
        &Clock::Real());
  }
  CheckpointerOptions checkpoints;
  checkpoints.owner = {CheckpointDirectory(options_, job_), options_.shard, options_.shards};
  checkpoints.keep = job_.server.checkpoint_keep;
  checkpoints.older_versions = MostVersionsBack(job_);
  checkpoints.job_name = job_.name;
  checkpoints.job_text = JobText(options_.job);
  checkpointer_ =
      std::make_unique<Checkpointer>(std::move(checkpoints), &FileSystem::Real(), &Clock::Real());
  events_ =
      std::make_unique<ShardEvents>(job_, coordinator_.get(), checkpointer_.get(), &Clock::Real());
  pool_ = std::make_unique<ThreadPool>(options_.threads);
  VersionMemory memory;
  if (options_.shared_memory != nullptr) memory = {options_.shared_memory, true};
  shard_ = std::make_unique<Shard>(job_, options_.shard, options_.shards, &Clock::Real(),
                                   pool_.get(), events_.get(), options_.readers, memory);
  if (options_.shard == 0 && options_.shards > 1 && job_.optimizer.global_clip_norm > 0) {
    norms_ = std::make_unique<NormTable>();
    shard_->SetNorms(norms_.get());
  }
  parameter_service_ = std::make_unique<ParameterService>(
      shard_.get(), ParameterService::Logs{&events_->versions(), &events_->decided()}, norms_.get(),
      &taken_, &first_messages_, incarnation_, &Clock::Real(), options_.readers.patience);
  ShareMemory();
  inspector_service_ = std::make_unique<InspectorService>(Parts());
  operator_service_ = std::make_unique<OperatorService>(OperatorService::Options{
      coordinator_.get(), options_.coordinator, options_.job,
      SettingsJournal(CheckpointDirectory(options_, job_), &FileSystem::Real())});
  if (coordinator_ != nullptr) {
    coordinator_service_ = std::make_unique<CoordinatorService>(
        coordinator_.get(), options_.job, incarnation_, &stats_, &events_->metrics(),
        &first_messages_, options_.security.authorizer.get());
  }
}

Server::~Server() {
  if (options_.window != nullptr) options_.window->Close(std::string(LastWord().message()));
  if (session_ != nullptr) session_->Stop();
  if (guard_ != nullptr) guard_->StopListening();
  if (server_ != nullptr) {
    events_->versions().Close(LastWord());
    events_->decided().Close(LastWord());
    if (norms_ != nullptr) norms_->Close(LastWord());
    events_->metrics().Close(LastWord());
    shard_->snapshots().Close(absl::UnavailableError("this server is going away"));
    // Members hear it now, rather than when their streams are cut.
    if (coordinator_ != nullptr && !over_) coordinator_->Fail(LastWord());
    server_->Shutdown(DeadlineIn(in_haste_ ? kHaste : kGoodbye));
  }
  if (shared_memory_ != nullptr) shared_memory_->Stop();
  // What is still under way there answers to the parts that go now.
  pool_.reset();
  checkpointer_->Flush();
}

absl::Status Server::LastWord() const {
  if (over_) return absl::OutOfRangeError("the run is over");
  return absl::UnavailableError(in_haste_ ? "the run goes back to a checkpoint"
                                          : "this server is going away before the run is over");
}

ServerParts Server::Parts() {
  return {shard_.get(),       events_.get(), checkpointer_.get(), &Clock::Real(), incarnation_,
          coordinator_.get(), &stats_};
}

void Server::ShareMemory() {
  if (options_.shared_memory == nullptr) return;
  SharedMemoryServer::Options options;
  options.shard = shard_.get();
  options.incarnation = incarnation_;
  options.arenas = options_.shared_memory;
  options.clock = &Clock::Real();
  options.patience = options_.readers.patience;
  options.threads = options_.threads;
  auto server = SharedMemoryServer::Start(options);
  if (!server.ok()) {
    LOG(WARNING) << "no shared memory: " << server.status().message()
                 << "; processes of this machine come over the network";
    return;
  }
  shared_memory_ = *std::move(server);
  parameter_service_->TellSharedMemory(shared_memory_->name());
}

absl::Status Server::Listen() {
  grpc::EnableDefaultHealthCheckService(true);
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  ConnectionGuard::Options connections;
  connections.listen = options_.listen;
  connections.clock = &Clock::Real();
  connections.process_bytes = [this] { return resident_.bytes(); };
  connections.taken = &taken_;
  absl::StatusOr<std::unique_ptr<ConnectionGuard>> guard =
      ConnectionGuard::Listen(std::move(connections));
  if (!guard.ok()) {
    return absl::UnavailableError(absl::StrCat(
        "cannot listen on ", options_.listen, ": ", guard.status().message(),
        "; the port is in use, or the address is not this machine's; port 0 picks a free one"));
  }
  guard_ = *std::move(guard);
  grpc::ServerBuilder builder;
  guard_->AddTo(&builder,
                MakeServerCredentials(options_.security.files, options_.security.authorizer));
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 5'000);
  // gRPC would let each peer send ahead as much as its line takes: up to 16 MiB of a large model,
  // in no limit of memory. It costs 5 to 15 % of what 16 peers at once push over loopback. A chunk
  // for each round trip, after one more at first, is a gigabyte a second where one takes a
  // millisecond.
  builder.AddChannelArgument(GRPC_ARG_HTTP2_BDP_PROBE, 0);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, kChunkBytes);
  // A peer that vanished without a word must not hold buffers and versions.
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, 20'000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 10'000);
  builder.SetMaxReceiveMessageSize(kMaxMessageBytes);
  builder.SetMaxSendMessageSize(kMaxMessageBytes);
  // A message is checked against its limit only when all of it is there, and a peer may say that it
  // is of 2 GiB: what peers send and nobody has taken yet is bounded by this while it comes slowly,
  // and by the guard while it does not.
  BoundConnections();
  builder.SetResourceQuota(quota_);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, kMostCalls);
  builder.AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, 20'000);
  builder.RegisterService(parameter_service_.get());
  builder.RegisterService(inspector_service_.get());
  builder.RegisterService(operator_service_.get());
  if (coordinator_service_ != nullptr) builder.RegisterService(coordinator_service_.get());
  server_ = builder.BuildAndStart();
  if (server_ == nullptr) return absl::UnavailableError("gRPC does not start a server");
  guard_->Begin();
  address_ =
      absl::StrCat(options_.listen.substr(0, options_.listen.rfind(':')), ":", guard_->port());
  return absl::OkStatus();
}

absl::StatusOr<v1::Hello> Server::Hello() {
  v1::Hello hello;
  hello.set_role(v1::SHARD);
  hello.set_name(absl::StrCat("server-", options_.shard));
  hello.set_incarnation(incarnation_.value());
  hello.set_shard(options_.shard);
  hello.set_shards(options_.shards);
  hello.set_address(options_.advertise.empty() ? address_ : options_.advertise);
  CONADV_ASSIGN_OR_RETURN(const CheckpointReport report, checkpointer_->Scan());
  SetReport(report, &hello);
  return hello;
}

absl::Status Server::JoinCoordinator() {
  CONADV_ASSIGN_OR_RETURN(v1::Hello hello, Hello());
  if (options_.shard != 0) {
    session_ = std::make_unique<ShardSession>(
        MakeChannel(options_.coordinator, options_.security.credentials), options_.coordinator,
        std::move(hello), shard_.get(), checkpointer_.get());
    return absl::OkStatus();
  }
  local_ = std::make_unique<LocalShard>(coordinator_.get(), shard_.get(), checkpointer_.get());
  CONADV_ASSIGN_OR_RETURN(HelloMessage message, FromProto(hello, address_));
  message.local = true;
  return coordinator_->Join(message, local_.get()).status();
}

void Server::BoundConnections() {
  const Shard::Memory memory = shard_->memory();
  const uint64_t slots = job_.training.slots;
  const uint64_t bytes = std::max(memory.connections_quota, ConnectionsQuota(slots, 0));
  if (std::exchange(quota_bytes_, bytes) != bytes) quota_.Resize(bytes);
  const bool planned = memory.limit_bytes != 0;
  guard_->SetLimits(
      {process_bytes_ + std::max(memory.limit_bytes, bytes) + ShardEvents::record_limit_bytes(),
       planned ? memory.sent_ahead_bytes : SentAheadBytes(slots, kChunkBytes)});
}

void Server::MakeRoom() {
  BoundConnections();
  first_messages_.EndSilent();
  parameter_service_->MakeRoom();
  if (shared_memory_ != nullptr) shared_memory_->MakeRoom();
}

void Server::TellHealth() {
  server_->GetHealthCheckService()->SetServingStatus(kReadyService, ReadinessOf(Parts()).ready);
}

absl::Status Server::WaitUntilOver(absl::Duration timeout) {
  MakeRoom();
  TellHealth();
  if (session_ != nullptr) return session_->WaitUntilOver(timeout);
  absl::Status status = coordinator_->WaitUntilOver(timeout);
  local_->Beat();
  coordinator_->Tick();
  over_ = over_ || status.ok();
  // Alone it would end here; shards that go on serving have not left.
  if (!status.ok() || !options_.serve_when_done) return status;
  WaitFor(timeout, [] { return false; });
  return absl::DeadlineExceededError("serving");
}

absl::Status Server::Run(const std::function<bool()>& stopped) {
  const absl::Status status = ServeUntil(stopped);
  // Though shards may go on serving.
  over_ = over_ || (coordinator_ != nullptr && coordinator_->phase() == Phase::kFinished);
  in_haste_ = absl::IsUnavailable(status);
  disk_hangs_ = !checkpointer_->Flush(kDisk);
  pool_hangs_ = !pool_->WaitFor(pool_->oldest_task(), kTask);
  return status;
}

bool Server::Saves() {
  const absl::Time now = Clock::Real().Now();
  if (!save_until_.has_value()) {
    save_until_ = now + kSave;
    LOG(INFO) << "stopping; a checkpoint first";
    if (session_ != nullptr) session_->BeginStop();
  }
  if (now >= *save_until_) return false;
  return session_ != nullptr ? !session_->stop_saved() : !coordinator_->Save();
}

absl::Status Server::ServeUntil(const std::function<bool()>& stopped) {
  absl::Status status = absl::DeadlineExceededError("");
  while (absl::IsDeadlineExceeded(status)) {
    if (stopped() && !Saves()) return absl::OkStatus();
    status = WaitUntilOver(std::min(kLook, Coordinator::TickInterval(job_.server.lease)));
  }
  CONADV_RETURN_IF_ERROR(status);
  over_ = true;
  LOG(INFO) << "shard " << options_.shard << ": the run is over";
  if (session_ == nullptr) return absl::OkStatus();
  // A shard that goes on serving stays a member: if the coordinator is lost, it has to join the
  // next one.
  while (options_.serve_when_done && !stopped()) {
    MakeRoom();
    TellHealth();
    CONADV_RETURN_IF_ERROR(session_->WaitUntilBroken(kLook));
  }
  session_->Leave();
  return absl::OkStatus();
}

}  // namespace conadv
