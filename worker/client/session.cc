// SPDX-License-Identifier: Apache-2.0
#include "worker/client/session.h"

#include <grpcpp/client_context.h>
#include <grpcpp/support/client_callback.h>

#include <algorithm>
#include <deque>
#include <utility>

#include "common/base/mutex.h"
#include "common/job/plan_proto.h"
#include "common/wire/status.h"
#include "conadv/v1/coordinator.grpc.pb.h"
#include "worker/client/statistics_proto.h"

namespace conadv {
namespace {

v1::JoinRequest ToProto(const SessionHello& hello) {
  v1::JoinRequest request;
  v1::Hello* to = request.mutable_hello();
  to->set_role(hello.evaluator ? v1::EVALUATOR : v1::WORKER);
  to->set_name(hello.name);
  to->set_incarnation(hello.incarnation.value());
  to->set_threads(hello.threads);
  to->mutable_servers()->Assign(hello.servers.begin(), hello.servers.end());
  if (hello.plan != nullptr) *to->mutable_plan() = conadv::ToProto(*hello.plan);
  return request;
}

// Keeps itself alive until the stream is over.
class JoinStream final : public grpc::ClientBidiReactor<v1::JoinRequest, v1::JoinResponse>,
                         public Session,
                         public std::enable_shared_from_this<JoinStream> {
 public:
  JoinStream(const std::shared_ptr<grpc::Channel>& channel, SessionListener* listener, Timer* timer,
             const WorkerStatistics* statistics)
      : stub_(v1::Coordinator::NewStub(channel)),
        listener_(listener),
        timer_(timer),
        statistics_(statistics) {}

  void Start(const SessionHello& hello) {
    self_ = shared_from_this();
    stub_->async()->Join(&context_, this);
    AddHold();  // for the writes that other threads start
    StartRead(&response_);
    Send(ToProto(hello));
    StartCall();
  }

  void Done(Unit unit) override {
    v1::JoinRequest request;
    v1::Unit* to = request.mutable_done()->add_units();
    to->set_step(unit.step.value());
    to->set_slot(static_cast<uint32_t>(unit.slot.value()));
    Send(std::move(request));
  }

  void Failed(Unit unit, const std::string& reason) override {
    v1::JoinRequest request;
    request.mutable_failed()->mutable_unit()->set_step(unit.step.value());
    request.mutable_failed()->mutable_unit()->set_slot(static_cast<uint32_t>(unit.slot.value()));
    request.mutable_failed()->set_reason(reason);
    Send(std::move(request));
  }

  void Offered() override {
    v1::JoinRequest request;
    request.set_offered(true);
    Send(std::move(request));
  }

  void Leave() override {
    v1::JoinRequest request;
    request.set_leave(true);
    Send(std::move(request));
  }

  void Cancel() override { context_.TryCancel(); }

  void OnWriteDone(bool ok) override {
    MutexLock lock(&mutex_);
    writing_ = false;
    if (ok && !closed_) WriteNext();
  }

  void OnReadDone(bool ok) override {
    if (!ok) {
      {
        MutexLock lock(&mutex_);
        closed_ = true;
      }
      RemoveHold();
      return;
    }
    Deliver();
    StartRead(&response_);
  }

  void OnDone(const grpc::Status& status) override {
    SessionListener* const listener = listener_;
    // Let go on the timer's thread, maybe while we are still here: gRPC 1.51 aborts when one of its
    // own threads lets go of the last channel, and the stream holds one.
    timer_->After(absl::ZeroDuration(), [self = std::move(self_)] {});
    listener->OnClosed(FromGrpc(status));
  }

 private:
  void Send(v1::JoinRequest request) {
    MutexLock lock(&mutex_);
    if (closed_ || left_) return;
    left_ = request.leave();
    // Units that are done while a write is under way go together.
    if (request.has_done() && outgoing_.size() > (writing_ ? 1 : 0) &&
        outgoing_.back().has_done()) {
      outgoing_.back().mutable_done()->MergeFrom(request.done());
    } else {
      outgoing_.push_back(std::move(request));
    }
    if (!writing_) WriteNext();
  }

  // The front is what is being written.
  void WriteNext() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (started_) outgoing_.pop_front();
    started_ = !outgoing_.empty();
    if (!started_) return;
    writing_ = true;
    if (outgoing_.front().has_leave()) {
      StartWriteLast(&outgoing_.front(), grpc::WriteOptions());
    } else {
      StartWrite(&outgoing_.front());
    }
  }

  void Deliver() {
    switch (response_.message_case()) {
      case v1::JoinResponse::kWelcome: {
        const v1::Welcome& welcome = response_.welcome();
        const absl::Duration lease =
            absl::Seconds(std::clamp(welcome.lease_seconds(), 0.1, 3600.0));
        listener_->OnWelcome(
            {MemberId(welcome.worker_id()), lease, welcome.steps(), Lineage(welcome.lineage())});
        Beat(lease / 3);
        break;
      }
      case v1::JoinResponse::kOffer: listener_->OnOffer(); break;
      case v1::JoinResponse::kGrant: {
        std::vector<Unit> units;
        for (const v1::Unit& unit : response_.grant().units()) {
          units.push_back({Step(unit.step()), Slot(unit.slot())});
        }
        listener_->OnGrant(std::move(units));
        break;
      }
      case v1::JoinResponse::kEvaluate:
        listener_->OnEvaluate(Version(response_.evaluate().version()),
                              response_.evaluate().robust());
        break;
      case v1::JoinResponse::kFinished: listener_->OnFinished(); break;
      case v1::JoinResponse::kRestore:
      case v1::JoinResponse::kCheckpoint:             // for shards
      case v1::JoinResponse::MESSAGE_NOT_SET: break;  // of a newer coordinator
    }
  }

  void Beat(absl::Duration interval) {
    timer_->After(interval, [weak = weak_from_this(), interval] {
      const std::shared_ptr<JoinStream> self = weak.lock();
      if (self == nullptr) return;
      v1::JoinRequest request;
      ToProto(self->statistics_->totals(), request.mutable_heartbeat()->mutable_stats());
      self->Send(std::move(request));
      self->Beat(interval);
    });
  }

  const std::unique_ptr<v1::Coordinator::Stub> stub_;
  SessionListener* const listener_;
  Timer* const timer_;
  const WorkerStatistics* const statistics_;
  grpc::ClientContext context_;
  v1::JoinResponse response_;
  std::shared_ptr<JoinStream> self_;
  Mutex mutex_;
  std::deque<v1::JoinRequest> outgoing_ ABSL_GUARDED_BY(mutex_);
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  bool started_ ABSL_GUARDED_BY(mutex_) = false;
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
  bool left_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace

std::shared_ptr<Session> StartSession(const std::shared_ptr<grpc::Channel>& channel,
                                      const SessionHello& hello, SessionListener* listener,
                                      Timer* timer, const WorkerStatistics* statistics) {
  auto stream = std::make_shared<JoinStream>(channel, listener, timer, statistics);
  stream->Start(hello);
  return stream;
}

}  // namespace conadv
