// SPDX-License-Identifier: Apache-2.0
// One member's Join stream with the coordinator: requests out in order, responses in, heartbeats by
// themselves. When it breaks it is over; whoever wants to go on starts another. Thread-safe.
#ifndef CONADV_CLIENT_RUN_MEMBER_STREAM_H_
#define CONADV_CLIENT_RUN_MEMBER_STREAM_H_

#include <grpcpp/channel.h>

#include <functional>
#include <memory>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/thread/timer.h"
#include "conadv/v1/coordinator.pb.h"

namespace conadv {

// How long a coordinator hears nothing from a member before it drops it, as its welcome says.
absl::Duration LeaseOf(const v1::Welcome& welcome);

class MemberStream {
 public:
  // Called one at a time, on gRPC's threads; must not block. Any may be empty.
  struct Events {
    std::function<void(const v1::JoinResponse&)> response;
    // The last. OK: the coordinator ended the stream, as it does after a leave.
    std::function<void(const absl::Status&)> closed;
    // Of a heartbeat that is about to be sent, on the timer's thread.
    std::function<void(v1::Heartbeat*)> heartbeat;
  };

  virtual ~MemberStream() = default;
  // Once, before anything else. Events may come before it has returned.
  virtual void Start(v1::Hello hello) = 0;
  // Waits for its turn; dropped if the stream is over, or after a leave. Units that are done while
  // a request is being written go together.
  virtual void Send(v1::JoinRequest request) = 0;
  // Ends the stream without a leave.
  virtual void Cancel() = 0;
  // Nothing may be sent after it.
  void Leave();
};

// `timer` and what the events use outlive the stream, which is over with `closed`. It keeps itself
// from its start until then. Heartbeats come three times a lease, from the welcome on.
std::shared_ptr<MemberStream> MakeMemberStream(const std::shared_ptr<grpc::Channel>& channel,
                                               Timer* timer, MemberStream::Events events);

}  // namespace conadv

#endif  // CONADV_CLIENT_RUN_MEMBER_STREAM_H_
