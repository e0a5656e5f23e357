// SPDX-License-Identifier: Apache-2.0
#include "server/rpc/membership/join_reactor.h"

#include <glog/logging.h>

#include <deque>
#include <optional>
#include <utility>

#include "common/thread/mutex.h"
#include "common/wire/status.h"
#include "server/rpc/membership/member_proto.h"
#include "server/rpc/membership/member_session.h"

namespace conadv {
namespace {

class JoinReactor final : public grpc::ServerBidiReactor<v1::JoinRequest, v1::JoinResponse>,
                          public MemberSink {
 public:
  JoinReactor(Coordinator* coordinator, WorkerStatsBook* stats, std::string peer)
      : session_(coordinator, stats, this, std::move(peer)) {
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
    const bool joins = !session_.joined();
    const absl::Status status = session_.Handle(request_);
    if (!status.ok()) return End(ToGrpc(status));
    if (joins) LOG(INFO) << session_.name() << " at " << session_.peer() << " has joined";
    if (session_.left()) End(grpc::Status::OK);
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
    if (!session_.name().empty()) {
      LOG(INFO) << session_.name() << " at " << session_.peer()
                << (session_.left() ? " has left" : " is gone");
    }
    session_.End();
    delete this;
  }

 private:
  void OnStreamEnd() {
    if (session_.joined() || session_.left()) return End(grpc::Status::OK);
    End(ToGrpc(
        absl::InvalidArgumentError("join: the stream ended, or was not protobuf, before hello")));
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

  MemberSession session_;
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
