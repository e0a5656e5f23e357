// SPDX-License-Identifier: Apache-2.0
// What one member says on its Join stream, checked and passed on to the coordinator. Knows no
// stream. One thread at a time.
#ifndef CONADV_SERVER_RPC_MEMBERSHIP_MEMBER_SESSION_H_
#define CONADV_SERVER_RPC_MEMBERSHIP_MEMBER_SESSION_H_

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "common/base/ids.h"
#include "conadv/v1/coordinator.pb.h"
#include "server/coordinate/coordinator.h"
#include "server/record/worker_stats_book.h"

namespace conadv {

class MemberSession {
 public:
  struct Peer {
    std::string address;  // the connection's other end
    bool may_serve;       // whether it may be a shard
  };

  // All outlive the session.
  MemberSession(Coordinator* coordinator, WorkerStatsBook* stats, MemberSink* sink, Peer peer);

  // An error ends the session.
  absl::Status Handle(const v1::JoinRequest& request);
  // The member sends nothing more. INVALID_ARGUMENT: it never said hello.
  absl::Status OnStreamEnd() const;
  // The stream is over.
  void End();

  bool joined() const { return id_.has_value(); }
  bool left() const { return left_; }  // it said so
  const std::string& name() const { return name_; }
  const std::string& peer() const { return peer_.address; }

 private:
  absl::Status Hello(const v1::JoinRequest& request);
  absl::Status Heartbeat(const v1::Heartbeat& heartbeat);
  void Done(const v1::Done& done);

  Coordinator* const coordinator_;
  WorkerStatsBook* const stats_;
  MemberSink* const sink_;
  const Peer peer_;
  std::string name_;
  conadv::Role role_ = conadv::Role::kWorker;
  bool left_ = false;
  std::optional<MemberId> id_;
};

}  // namespace conadv

#endif  // CONADV_SERVER_RPC_MEMBERSHIP_MEMBER_SESSION_H_
