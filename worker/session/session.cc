// SPDX-License-Identifier: Apache-2.0
#include "worker/session/session.h"

#include <utility>

#include "client/run/member_stream.h"
#include "common/plan/plan_proto.h"
#include "common/protocol/tau_proto.h"
#include "common/protocol/unit_proto.h"
#include "worker/session/statistics_proto.h"

namespace conadv {
namespace {

v1::Hello ToProto(const SessionHello& hello) {
  v1::Hello to;
  to.set_role(hello.evaluator ? v1::EVALUATOR : v1::WORKER);
  to.set_name(hello.name);
  to.set_incarnation(hello.incarnation.value());
  to.set_threads(hello.threads);
  to.mutable_servers()->Assign(hello.servers.begin(), hello.servers.end());
  if (hello.plan != nullptr) *to.mutable_plan() = conadv::ToProto(*hello.plan);
  return to;
}

void Deliver(const v1::JoinResponse& response, SessionListener* listener) {
  switch (response.message_case()) {
    case v1::JoinResponse::kWelcome: {
      const v1::Welcome& welcome = response.welcome();
      return listener->OnWelcome({MemberId(welcome.worker_id()), LeaseOf(welcome), welcome.steps(),
                                  Lineage(welcome.lineage()), FromProto(welcome.settings())});
    }
    case v1::JoinResponse::kOffer: return listener->OnOffer();
    case v1::JoinResponse::kGrant: {
      std::vector<Unit> units;
      for (const v1::Unit& unit : response.grant().units()) units.push_back(FromProto(unit));
      return listener->OnGrant(std::move(units));
    }
    case v1::JoinResponse::kEvaluate:
      return listener->OnEvaluate(Version(response.evaluate().version()),
                                  response.evaluate().robust());
    case v1::JoinResponse::kFinished: return listener->OnFinished();
    case v1::JoinResponse::kSettings: return listener->OnSettings(FromProto(response.settings()));
    case v1::JoinResponse::kDrain: return listener->OnDrain();
    case v1::JoinResponse::kRestore:
    case v1::JoinResponse::kCheckpoint:
    case v1::JoinResponse::kSaved:                   // for shards
    case v1::JoinResponse::MESSAGE_NOT_SET: return;  // of a newer coordinator
  }
}

class StreamSession final : public Session {
 public:
  explicit StreamSession(std::shared_ptr<MemberStream> stream) : stream_(std::move(stream)) {}

  void Done(Unit unit) override {
    v1::JoinRequest request;
    *request.mutable_done()->add_units() = conadv::ToProto(unit);
    stream_->Send(std::move(request));
  }
  void Failed(Unit unit, const std::string& reason) override {
    v1::JoinRequest request;
    *request.mutable_failed()->mutable_unit() = conadv::ToProto(unit);
    request.mutable_failed()->set_reason(reason);
    stream_->Send(std::move(request));
  }
  void Offered() override {
    v1::JoinRequest request;
    request.set_offered(true);
    stream_->Send(std::move(request));
  }
  void Leave() override { stream_->Leave(); }
  void Cancel() override { stream_->Cancel(); }

 private:
  const std::shared_ptr<MemberStream> stream_;
};

}  // namespace

std::shared_ptr<Session> StartSession(const std::shared_ptr<grpc::Channel>& channel,
                                      const SessionHello& hello, SessionListener* listener,
                                      Timer* timer, const WorkerStatistics* statistics) {
  MemberStream::Events events;
  events.response = [listener](const v1::JoinResponse& response) { Deliver(response, listener); };
  events.closed = [listener](const absl::Status& status) { listener->OnClosed(status); };
  events.heartbeat = [statistics](v1::Heartbeat* heartbeat) {
    ToProto(statistics->totals(), heartbeat->mutable_stats());
  };
  const std::shared_ptr<MemberStream> stream = MakeMemberStream(channel, timer, std::move(events));
  stream->Start(ToProto(hello));
  return std::make_shared<StreamSession>(stream);
}

}  // namespace conadv
