// SPDX-License-Identifier: Apache-2.0
// The calls in flight of one client, so that they can be cancelled, and waited for before what they
// write to goes. Thread-safe; outlives the calls.
#ifndef CONADV_CLIENT_GRPC_CALL_REGISTRY_H_
#define CONADV_CLIENT_GRPC_CALL_REGISTRY_H_

#include <grpcpp/client_context.h>
#include <grpcpp/support/status.h>

#include <memory>
#include <set>

#include "absl/status/status.h"
#include "common/thread/mutex.h"

namespace conadv {

class CallRegistry {
 public:
  ~CallRegistry() { Shutdown(); }

  // False after Shutdown: the call must not be started.
  bool Add(const std::shared_ptr<grpc::ClientContext>& context);
  // The last thing a call does with anything that is not its own, from its last callback. Lets go
  // of the context before Shutdown may return: a context holds its channel, and gRPC 1.51 aborts
  // when one of its own threads lets go of the last channel.
  void Remove(std::shared_ptr<grpc::ClientContext> context);
  void CancelAll();
  // One of them, as CancelAll does.
  void Cancel(const std::shared_ptr<grpc::ClientContext>& context);
  // How a call ended: CANCELLED is our own doing. A server that cancels one has found it idle while
  // others waited for its room, which may be otherwise the next time: UNAVAILABLE.
  absl::Status EndOf(const std::shared_ptr<grpc::ClientContext>& context,
                     const grpc::Status& status) const;
  // Cancels, and waits until no call is left. Not to be called from a call's own callbacks.
  void Shutdown();

 private:
  mutable Mutex mutex_;
  CondVar removed_;
  std::set<std::shared_ptr<grpc::ClientContext>> calls_ ABSL_GUARDED_BY(mutex_);  // not cancelled
  int active_ ABSL_GUARDED_BY(mutex_) = 0;  // calls whose contexts may still be there
  bool shut_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace conadv

#endif  // CONADV_CLIENT_GRPC_CALL_REGISTRY_H_
