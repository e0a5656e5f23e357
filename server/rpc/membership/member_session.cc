// SPDX-License-Identifier: Apache-2.0
#include "server/rpc/membership/member_session.h"

#include <utility>
#include <vector>

#include "common/base/status_macros.h"
#include "server/rpc/membership/member_proto.h"

namespace conadv {

MemberSession::MemberSession(Coordinator* coordinator, WorkerStatsBook* stats, MemberSink* sink,
                             Peer peer)
    : coordinator_(coordinator), stats_(stats), sink_(sink), peer_(std::move(peer)) {}

absl::Status MemberSession::Handle(const v1::JoinRequest& request) {
  if (left_) return absl::InvalidArgumentError("join: this member has left");
  if (!id_.has_value()) return Hello(request);
  switch (request.message_case()) {
    case v1::JoinRequest::kHeartbeat: return Heartbeat(request.heartbeat());
    case v1::JoinRequest::kDone: Done(request.done()); break;
    case v1::JoinRequest::kFailed:
      coordinator_->OnFailed(*id_, FromProto(request.failed().unit()),
                             ReadableText(request.failed().reason()));
      break;
    case v1::JoinRequest::kOffered: coordinator_->OnOffered(*id_); break;
    case v1::JoinRequest::kRestored:
      coordinator_->OnRestored(*id_, FromProto(request.restored()), std::nullopt);
      break;
    case v1::JoinRequest::kCheckpointed:
      coordinator_->OnCheckpointed(*id_, FromProto(request.checkpointed()));
      break;
    case v1::JoinRequest::kStopping: coordinator_->OnStopping(*id_); break;
    case v1::JoinRequest::kLeave:
      End();
      left_ = true;
      break;
    default: return absl::InvalidArgumentError("join: a message of no known kind");
  }
  return absl::OkStatus();
}

absl::Status MemberSession::Hello(const v1::JoinRequest& request) {
  if (!request.has_hello()) return absl::InvalidArgumentError("join: say hello first");
  CONADV_ASSIGN_OR_RETURN(const HelloMessage hello, FromProto(request.hello(), peer_.address));
  if (hello.role == Role::kShard && !peer_.may_serve) {
    return absl::PermissionDeniedError(
        "join: to be a shard takes the role server or above; give it a token or a certificate of "
        "that role");
  }
  name_ = hello.name;
  role_ = hello.role;
  CONADV_ASSIGN_OR_RETURN(id_, coordinator_->Join(hello, sink_));
  return absl::OkStatus();
}

absl::Status MemberSession::Heartbeat(const v1::Heartbeat& heartbeat) {
  coordinator_->OnHeartbeat(
      *id_, role_ == Role::kShard ? heartbeat.oldest_task() : heartbeat.stats().units_done());
  if (role_ != Role::kWorker || !heartbeat.has_stats()) return absl::OkStatus();
  return stats_->Set(name_, heartbeat.stats());
}

void MemberSession::Done(const v1::Done& done) {
  std::vector<Unit> units;
  for (const v1::Unit& unit : done.units()) units.push_back(FromProto(unit));
  coordinator_->OnDone(*id_, units);
}

absl::Status MemberSession::OnStreamEnd() const {
  if (joined() || left()) return absl::OkStatus();
  return absl::InvalidArgumentError("join: the stream ended, or was not protobuf, before hello");
}

void MemberSession::End() {
  if (id_.has_value()) coordinator_->OnGone(*std::exchange(id_, std::nullopt));
}

}  // namespace conadv
