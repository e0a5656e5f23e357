// SPDX-License-Identifier: Apache-2.0
#include "server/rpc/membership/shard_session.h"

#include <glog/logging.h>

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/run/find_run.h"
#include "common/wire/status.h"
#include "conadv/v1/parameter_server.grpc.pb.h"
#include "server/rpc/membership/member_proto.h"

namespace conadv {
namespace {

constexpr absl::Duration kTry = absl::Seconds(2);
constexpr absl::Duration kGoodbye = absl::Seconds(2);

}  // namespace

absl::StatusOr<v1::Job> FetchJob(const std::string& address, absl::Duration timeout,
                                 const std::function<bool()>& stopped,
                                 const ClientCredentials& credentials) {
  FindRunOptions options;
  options.job_only = true;
  options.timeout = timeout;
  options.most_for_try = kTry;
  options.wait_for_ready = true;
  options.stopped = stopped;
  options.credentials = credentials;
  options.waiting = [&address, timeout](const absl::Status& why) {
    LOG(WARNING) << "waiting up to " << timeout << " for the coordinator at " << address << ": "
                 << (absl::IsDeadlineExceeded(why) ? "nothing answers there yet" : why.message());
  };
  const absl::StatusOr<v1::GetJobResponse> found = FindRun(address, options);
  if (found.ok()) return found->job();
  const absl::Status& status = found.status();
  if (absl::IsUnavailable(status) || absl::IsCancelled(status)) {
    return absl::UnavailableError(absl::StrCat("no coordinator at ", address, " within ",
                                               absl::FormatDuration(timeout), ": ",
                                               status.message()));
  }
  return absl::Status(status.code(),
                      absl::StrCat("what answers at ", address,
                                   " is not this run's coordinator: ", status.message(),
                                   "; check --coordinator, or the first of --servers"));
}

ShardSession::ShardSession(std::shared_ptr<grpc::Channel> channel, std::string coordinator,
                           v1::Hello hello, Shard* shard, Checkpointer* checkpointer)
    : channel_(std::move(channel)),
      coordinator_(std::move(coordinator)),
      shard_(shard),
      checkpointer_(checkpointer),
      agent_(shard, checkpointer, MakeAnswers()),
      stream_(MakeMemberStream(channel_, &timer_, MakeEvents())) {
  if (ClipsGlobally()) {
    norms_ = std::make_unique<NormCaller>(channel_, shard_, [this](const absl::Status& status) {
      End(absl::UnavailableError(
          absl::StrCat("coordinator ", coordinator_,
                       ": the shards' norms do not come together: ", status.message())));
    });
    shard_->SetNorms(norms_.get());
  }
  stream_->Start(std::move(hello));
  if (shard_->follows()) follower_ = std::thread([this] { Follow(); });
}

ShardAgent::Answers ShardSession::MakeAnswers() {
  ShardAgent::Answers answers;
  answers.restored = [this](const absl::Status& status, const std::optional<RunState>& state) {
    if (status.ok()) {
      MutexLock lock(&mutex_);
      restored_ = state.has_value() ? state->version : Version(0);
      changed_.NotifyAll();
    }
    v1::JoinRequest request;
    *request.mutable_restored() = RestoredProto(status);
    stream_->Send(std::move(request));
  };
  answers.checkpointed = [this](const CheckpointAnswer& answer) {
    v1::JoinRequest request;
    *request.mutable_checkpointed() = ToProto(answer);
    stream_->Send(std::move(request));
  };
  return answers;
}

MemberStream::Events ShardSession::MakeEvents() {
  MemberStream::Events events;
  events.response = [this](const v1::JoinResponse& response) { Handle(response); };
  events.closed = [this](const absl::Status& status) { OnClosed(status); };
  events.heartbeat = [this](v1::Heartbeat* heartbeat) {
    heartbeat->set_oldest_task(shard_->oldest_task());
  };
  return events;
}

ShardSession::~ShardSession() {
  Stop();
  // What it was asked for answers here.
  checkpointer_->Flush();
}

void ShardSession::Stop() {
  End(absl::CancelledError("the session was stopped"));
  stream_->Cancel();
  watch_context_.TryCancel();
  {
    MutexLock lock(&mutex_);
    while (!closed_) changed_.Wait(&mutex_);
  }
  if (follower_.joinable()) follower_.join();
  if (norms_ != nullptr) norms_->Stop();
}

void ShardSession::OnClosed(const absl::Status& status) {
  const std::string what = absl::StrCat("coordinator ", coordinator_, ": ",
                                        status.ok() ? "ended the session" : status.message());
  const bool final = absl::IsAborted(status) || absl::IsInvalidArgument(status);
  End(final ? absl::Status(status.code(), what) : absl::UnavailableError(what));
  MutexLock lock(&mutex_);
  closed_ = true;
  changed_.NotifyAll();
}

void ShardSession::Handle(const v1::JoinResponse& response) {
  switch (response.message_case()) {
    case v1::JoinResponse::kWelcome:
      return agent_.SetLineage(Lineage(response.welcome().lineage()));
    case v1::JoinResponse::kRestore:
      return agent_.Restore(response.restore().fresh()
                                ? std::nullopt
                                : std::optional(FromProto(response.restore().checkpoint())));
    case v1::JoinResponse::kCheckpoint: {
      std::vector<Version> common;
      for (const uint64_t version : response.checkpoint().common()) common.emplace_back(version);
      return agent_.Checkpoint(Version(response.checkpoint().version()), std::move(common));
    }
    case v1::JoinResponse::kFinished: {
      MutexLock lock(&mutex_);
      over_ = true;
      changed_.NotifyAll();
      return;
    }
    case v1::JoinResponse::kSaved: {
      MutexLock lock(&mutex_);
      stop_saved_ = true;
      return;
    }
    default: return;  // for workers, or of a newer coordinator
  }
}

void ShardSession::End(const absl::Status& status) {
  MutexLock lock(&mutex_);
  if (status_.ok()) status_ = status;
  changed_.NotifyAll();
}

void ShardSession::Follow() {
  v1::WatchRequest request;
  {
    MutexLock lock(&mutex_);
    while (!restored_.has_value() && status_.ok()) changed_.Wait(&mutex_);
    if (!status_.ok()) return;
    request.set_from(restored_->value());
  }
  request.set_decided(ClipsGlobally());
  const auto stub = v1::ParameterServer::NewStub(channel_);
  const auto stream = stub->Watch(&watch_context_, request);
  v1::WatchResponse response;
  uint64_t expected = request.from();
  while (stream->Read(&response)) {
    if (response.version() != expected++) {
      return End(absl::UnavailableError(
          absl::StrCat("coordinator ", coordinator_,
                       ": the order of updates has a gap before version ", response.version())));
    }
    // The first version is nobody's update.
    if (response.version() == request.from()) continue;
    const absl::Status status = shard_->Follow({Step(response.step()), Slot(response.slot())});
    if (!status.ok()) return End(absl::UnavailableError(status.message()));
  }
  End(absl::UnavailableError(
      absl::StrCat("coordinator ", coordinator_,
                   ": the order of updates broke off: ", stream->Finish().error_message())));
}

absl::Status ShardSession::WaitUntilOver(absl::Duration timeout) {
  MutexLock lock(&mutex_);
  if (!over_ && status_.ok()) changed_.WaitFor(&mutex_, timeout);
  if (over_) return absl::OkStatus();
  return status_.ok() ? absl::DeadlineExceededError("the run goes on") : status_;
}

absl::Status ShardSession::WaitUntilBroken(absl::Duration timeout) {
  MutexLock lock(&mutex_);
  if (status_.ok()) changed_.WaitFor(&mutex_, timeout);
  return status_;
}

void ShardSession::BeginStop() {
  v1::JoinRequest request;
  request.set_stopping(true);
  stream_->Send(std::move(request));
}

bool ShardSession::stop_saved() const {
  MutexLock lock(&mutex_);
  return stop_saved_ || over_ || !status_.ok() || !restored_.has_value();
}

void ShardSession::Leave() {
  stream_->Leave();
  MutexLock lock(&mutex_);
  if (!closed_) changed_.WaitFor(&mutex_, kGoodbye);
}

}  // namespace conadv
