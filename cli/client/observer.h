// SPDX-License-Identifier: Apache-2.0
// Our membership in a run: while it lasts the servers stay, so that the final weights can be read.
// Thread-safe; `wake` comes on gRPC's threads whenever the state has changed, and must not block.
#ifndef CONADV_CLI_CLIENT_OBSERVER_H_
#define CONADV_CLI_CLIENT_OBSERVER_H_

#include <grpcpp/channel.h>

#include <functional>
#include <memory>

#include "absl/status/status.h"
#include "client/run/member_stream.h"
#include "common/thread/mutex.h"
#include "common/thread/timer.h"

namespace conadv {

class Observer {
 public:
  struct State {
    bool joined = false;
    bool finished = false;  // the run is over, and its last evaluation done
    bool closed = false;    // the stream has ended, with `status`
    absl::Status status;
  };

  // `timer` outlives it.
  Observer(const std::shared_ptr<grpc::Channel>& channel, Timer* timer, std::function<void()> wake);
  // Ends the stream, with or without a leave, and waits for its end.
  ~Observer();
  Observer(const Observer&) = delete;
  Observer& operator=(const Observer&) = delete;

  State state() const;
  // The servers may go now.
  void Leave() { stream_->Leave(); }

 private:
  MemberStream::Events MakeEvents();

  const std::function<void()> wake_;
  mutable Mutex mutex_;
  CondVar closed_;
  State state_ ABSL_GUARDED_BY(mutex_);
  const std::shared_ptr<MemberStream> stream_;
};

}  // namespace conadv

#endif  // CONADV_CLI_CLIENT_OBSERVER_H_
