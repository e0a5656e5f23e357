// SPDX-License-Identifier: Apache-2.0
#include "server/rpc/membership/join_reactor.h"

#include <glog/logging.h>

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/thread/mutex.h"
#include "common/wire/status.h"
#include "server/rpc/membership/member_proto.h"
#include "server/rpc/membership/member_session.h"
#include "server/rpc/membership/outbox.h"

namespace conadv {
namespace {

class JoinReactor final : public grpc::ServerBidiReactor<v1::JoinRequest, v1::JoinResponse>,
                          public MemberSink {
 public:
  JoinReactor(Coordinator* coordinator, WorkerStatsBook* stats, FirstMessages* first_messages,
              MemberSession::Peer peer)
      : session_(coordinator, stats, this, std::move(peer)),
        first_messages_(first_messages),
        silent_(first_messages_->Begin([this] { OnSilence(); })) {
    StartRead(&request_);
  }

  // MemberSink: called with the coordinator's lock held.
  void Send(const MemberMessage& message) override {
    Change([&message](Outbox& outbox) { outbox.Push(ToProto(message)); });
  }
  void Close(const absl::Status& status) override {
    Change([&status](Outbox& outbox) { outbox.End(status); });
  }

  void OnReadDone(bool ok) override {
    first_messages_->End(silent_);
    if (!ok) return Close(session_.OnStreamEnd());
    const bool joins = !session_.joined();
    const absl::Status status = session_.Handle(request_);
    if (!status.ok()) return Close(status);
    if (joins) LOG(INFO) << session_.name() << " at " << session_.peer() << " has joined";
    if (session_.left()) Close(absl::OkStatus());
    StartRead(&request_);
  }
  void OnWriteDone(bool ok) override {
    Change([ok](Outbox& outbox) { outbox.OnWritten(ok); });
  }
  // The peer's end is gone, or a cancelled call: what waits is not sent any more.
  void OnCancel() override { Close(absl::CancelledError("the member is gone")); }
  void OnDone() override {
    if (!session_.name().empty()) {
      LOG(INFO) << session_.name() << " at " << session_.peer()
                << (session_.left() ? " has left" : " is gone");
    }
    session_.End();
    first_messages_->End(silent_);
    delete this;
  }

 private:
  // gRPC runs no callback inside Finish, which this comes to.
  void OnSilence() {
    Close(absl::DeadlineExceededError(absl::StrCat(
        "join: nothing was said within ", absl::FormatDuration(first_messages_->patience()))));
  }
  template <class Apply>
  void Change(const Apply& apply) {
    MutexLock lock(&mutex_);
    apply(outbox_);
    if (const v1::JoinResponse* const message = outbox_.NextMessage()) StartWrite(message);
    if (const std::optional<absl::Status> end = outbox_.TakeEnd()) Finish(ToGrpc(*end));
  }

  MemberSession session_;
  FirstMessages* const first_messages_;
  v1::JoinRequest request_;
  Mutex mutex_;
  Outbox outbox_ ABSL_GUARDED_BY(mutex_);
  const uint64_t silent_;  // last: the call may be ended from then on
};

}  // namespace

grpc::ServerBidiReactor<v1::JoinRequest, v1::JoinResponse>* StartJoin(Coordinator* coordinator,
                                                                      WorkerStatsBook* stats,
                                                                      FirstMessages* first_messages,
                                                                      MemberSession::Peer peer) {
  return new JoinReactor(coordinator, stats, first_messages, std::move(peer));
}

}  // namespace conadv
