// SPDX-License-Identifier: Apache-2.0
#include "server/rpc/join_reactor.h"

#include <glog/logging.h>

#include <deque>
#include <optional>
#include <utility>
#include <vector>

#include "common/base/mutex.h"
#include "common/base/status_macros.h"
#include "common/wire/status.h"
#include "server/rpc/member_proto.h"

namespace conadv {
namespace {

class JoinReactor final : public grpc::ServerBidiReactor<v1::JoinRequest, v1::JoinResponse>,
                          public MemberSink {
 public:
  JoinReactor(Coordinator* coordinator, WorkerStatsBook* stats, std::string peer)
      : coordinator_(coordinator), stats_(stats), peer_(std::move(peer)) {
    StartRead(&request_);
  }

  // MemberSink: called with the coordinator's lock held.
  void Send(const MemberMessage& message) override {
    MutexLock lock(&mutex_);
    if (end_.has_value()) return;
    outbox_.push_back(ToProto(message));
    WriteNext();
  }
  void Close(const absl::Status& status) override { End(ToGrpc(status)); }

  void OnReadDone(bool ok) override {
    if (!ok) return OnStreamEnd();
    const absl::Status status = Handle();
    if (!status.ok()) return End(ToGrpc(status));
    StartRead(&request_);
  }

  void OnWriteDone(bool ok) override {
    MutexLock lock(&mutex_);
    writing_ = false;
    if (!ok) outbox_.clear();
    WriteNext();
  }

  // The peer's end is gone, or a cancelled call: what waits is not sent any more.
  void OnCancel() override { End(grpc::Status(grpc::StatusCode::CANCELLED, "the member is gone")); }

  void OnDone() override {
    if (!name_.empty()) LOG(INFO) << name_ << " at " << peer_ << (left_ ? " has left" : " is gone");
    if (id_.has_value()) coordinator_->OnGone(*id_);
    delete this;
  }

 private:
  void OnStreamEnd() {
    if (id_.has_value() || left_) return End(grpc::Status::OK);
    End(ToGrpc(
        absl::InvalidArgumentError("join: the stream ended, or was not protobuf, before hello")));
  }

  absl::Status Handle() {
    if (!id_.has_value()) {
      if (!request_.has_hello()) return absl::InvalidArgumentError("join: say hello first");
      CONADV_ASSIGN_OR_RETURN(const HelloMessage hello, FromProto(request_.hello(), peer_));
      name_ = hello.name;
      is_worker_ = hello.role == Role::kWorker;
      CONADV_ASSIGN_OR_RETURN(id_, coordinator_->Join(hello, this));
      LOG(INFO) << name_ << " at " << peer_ << " has joined";
      return absl::OkStatus();
    }
    switch (request_.message_case()) {
      case v1::JoinRequest::kHeartbeat: return HandleHeartbeat();
      case v1::JoinRequest::kDone: HandleDone(); return absl::OkStatus();
      case v1::JoinRequest::kFailed:
        coordinator_->OnFailed(*id_, FromProto(request_.failed().unit()),
                               request_.failed().reason());
        return absl::OkStatus();
      case v1::JoinRequest::kOffered: coordinator_->OnOffered(*id_); return absl::OkStatus();
      case v1::JoinRequest::kRestored:
        coordinator_->OnRestored(*id_, FromProto(request_.restored()), std::nullopt);
        return absl::OkStatus();
      case v1::JoinRequest::kCheckpointed:
        coordinator_->OnCheckpointed(*id_, FromProto(request_.checkpointed()));
        return absl::OkStatus();
      case v1::JoinRequest::kLeave:
        coordinator_->OnGone(*std::exchange(id_, std::nullopt));
        left_ = true;
        End(grpc::Status::OK);
        return absl::OkStatus();
      default: return absl::InvalidArgumentError("join: a message of no known kind");
    }
  }

  absl::Status HandleHeartbeat() {
    coordinator_->OnHeartbeat(*id_, request_.heartbeat().stats().units_done());
    if (!is_worker_ || !request_.heartbeat().has_stats()) return absl::OkStatus();
    return stats_->Set(name_, request_.heartbeat().stats());
  }

  void HandleDone() {
    std::vector<Unit> units;
    for (const v1::Unit& unit : request_.done().units()) units.push_back(FromProto(unit));
    coordinator_->OnDone(*id_, units);
  }

  void End(const grpc::Status& status) {
    MutexLock lock(&mutex_);
    if (end_.has_value()) return;
    end_ = status;
    WriteNext();
  }

  // Writes what waits, then the end.
  void WriteNext() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (writing_ || finished_) return;
    if (!outbox_.empty()) {
      writing_ = true;
      response_ = std::move(outbox_.front());
      outbox_.pop_front();
      StartWrite(&response_);
    } else if (end_.has_value()) {
      finished_ = true;
      Finish(*end_);
    }
  }

  Coordinator* const coordinator_;
  WorkerStatsBook* const stats_;
  const std::string peer_;
  std::string name_;
  bool is_worker_ = false;
  bool left_ = false;
  std::optional<MemberId> id_;
  v1::JoinRequest request_;
  Mutex mutex_;
  std::deque<v1::JoinResponse> outbox_ ABSL_GUARDED_BY(mutex_);
  v1::JoinResponse response_;
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  bool finished_ ABSL_GUARDED_BY(mutex_) = false;
  std::optional<grpc::Status> end_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace

grpc::ServerBidiReactor<v1::JoinRequest, v1::JoinResponse>* StartJoin(Coordinator* coordinator,
                                                                      WorkerStatsBook* stats,
                                                                      std::string peer) {
  return new JoinReactor(coordinator, stats, std::move(peer));
}

}  // namespace conadv
