// SPDX-License-Identifier: Apache-2.0
#include "server/rpc/membership/shard_session.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/backoff.h"
#include "common/base/clock.h"
#include "common/base/random.h"
#include "common/base/wait.h"
#include "common/wire/channel.h"
#include "common/wire/deadline.h"
#include "common/wire/status.h"
#include "conadv/v1/parameter_server.grpc.pb.h"
#include "server/rpc/membership/member_proto.h"

namespace conadv {
namespace {

constexpr absl::Duration kTry = absl::Seconds(2);

}  // namespace

absl::StatusOr<v1::Job> FetchJob(const std::string& address, absl::Duration timeout,
                                 const std::function<bool()>& stopped) {
  v1::GetJobRequest request;
  request.set_job_only(true);
  v1::GetJobResponse response;
  BackoffOptions options;
  options.budget = timeout;
  Backoff backoff(options, RandomIncarnation().value());
  while (true) {
    // A channel for each try: one that has looked up a name too early does so again only after the
    // resolver's back-off, which grows to two minutes. Within a try gRPC goes on connecting until
    // the try's deadline.
    grpc::ClientContext context;
    context.set_wait_for_ready(true);
    context.set_deadline(DeadlineIn(std::min(kTry, timeout)));
    const absl::Status status = FromGrpc(
        v1::Coordinator::NewStub(MakeChannel(address))->GetJob(&context, request, &response));
    if (status.ok()) return response.job();
    if (IsLastWord(status)) {
      return absl::Status(status.code(),
                          absl::StrCat("what answers at ", address,
                                       " is not this run's coordinator: ", status.message(),
                                       "; check --coordinator, or the first of --servers"));
    }
    const std::optional<absl::Duration> wait = backoff.Next(Clock::Real().Now());
    if (!wait.has_value() || stopped()) {
      return absl::UnavailableError(absl::StrCat("no coordinator at ", address, " within ",
                                                 absl::FormatDuration(timeout), ": ",
                                                 status.message()));
    }
    WaitFor(*wait, stopped);
  }
}

ShardSession::ShardSession(std::shared_ptr<grpc::Channel> channel, std::string coordinator,
                           v1::Hello hello, Shard* shard, Checkpointer* checkpointer)
    : channel_(std::move(channel)),
      coordinator_(std::move(coordinator)),
      shard_(shard),
      checkpointer_(checkpointer),
      stub_(v1::Coordinator::NewStub(channel_)),
      stream_(stub_->Join(&join_context_)),
      agent_(shard, checkpointer, MakeAnswers()) {
  v1::JoinRequest request;
  *request.mutable_hello() = std::move(hello);
  Write(request);
  listener_ = std::thread([this] { Listen(); });
  heart_ = std::thread([this] { Beat(); });
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
    Write(request);
  };
  answers.checkpointed = [this](const CheckpointAnswer& answer) {
    v1::JoinRequest request;
    *request.mutable_checkpointed() = ToProto(answer);
    Write(request);
  };
  return answers;
}

ShardSession::~ShardSession() {
  Stop();
  // What it was asked for answers here.
  checkpointer_->Flush();
}

void ShardSession::Stop() {
  if (!listener_.joinable()) return;
  {
    MutexLock lock(&mutex_);
    closing_ = true;
    changed_.NotifyAll();
  }
  join_context_.TryCancel();
  watch_context_.TryCancel();
  listener_.join();
  heart_.join();
  if (follower_.joinable()) follower_.join();
}

void ShardSession::Listen() {
  v1::JoinResponse response;
  while (stream_->Read(&response)) Handle(response);
  const grpc::Status status = stream_->Finish();
  const std::string what = absl::StrCat("coordinator ", coordinator_, ": ",
                                        status.ok() ? "ended the session" : status.error_message());
  const bool final = status.error_code() == grpc::StatusCode::ABORTED ||
                     status.error_code() == grpc::StatusCode::INVALID_ARGUMENT;
  End(final ? absl::Status(FromGrpc(status).code(), what) : absl::UnavailableError(what));
}

void ShardSession::Handle(const v1::JoinResponse& response) {
  switch (response.message_case()) {
    case v1::JoinResponse::kWelcome: {
      agent_.SetLineage(Lineage(response.welcome().lineage()));
      MutexLock lock(&mutex_);
      beat_ = absl::Seconds(response.welcome().lease_seconds() / 3);
      changed_.NotifyAll();
      return;
    }
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
    default: return;  // for workers, or of a newer coordinator
  }
}

void ShardSession::End(const absl::Status& status) {
  MutexLock lock(&mutex_);
  if (status_.ok()) status_ = status;
  closing_ = true;
  changed_.NotifyAll();
}

void ShardSession::Beat() {
  v1::JoinRequest request;
  request.mutable_heartbeat();
  while (true) {
    {
      MutexLock lock(&mutex_);
      changed_.WaitFor(&mutex_, beat_);
      if (closing_) return;
    }
    request.mutable_heartbeat()->set_oldest_task(shard_->oldest_task());
    if (!Write(request)) return;  // the listener says why
  }
}

void ShardSession::Follow() {
  v1::WatchRequest request;
  {
    MutexLock lock(&mutex_);
    while (!restored_.has_value() && !closing_) changed_.Wait(&mutex_);
    if (closing_) return;
    request.set_from(restored_->value());
  }
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

bool ShardSession::Write(const v1::JoinRequest& request) {
  MutexLock lock(&write_mutex_);
  return stream_->Write(request);
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

void ShardSession::Leave() {
  v1::JoinRequest request;
  request.set_leave(true);
  if (Write(request)) {
    MutexLock lock(&write_mutex_);
    stream_->WritesDone();
  }
}

}  // namespace conadv
