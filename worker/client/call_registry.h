// SPDX-License-Identifier: Apache-2.0
// The calls in flight of one client, so that they can be cancelled, and waited for before what they
// write to goes. Thread-safe; outlives the calls.
#ifndef CONADV_WORKER_CLIENT_CALL_REGISTRY_H_
#define CONADV_WORKER_CLIENT_CALL_REGISTRY_H_

#include <grpcpp/client_context.h>

#include <memory>
#include <set>

#include "common/base/mutex.h"

namespace conadv {

class CallRegistry {
 public:
  ~CallRegistry() { Shutdown(); }

  // False after Shutdown: the call must not be started.
  bool Add(const std::shared_ptr<grpc::ClientContext>& context);
  // The last thing a call does with anything that is not its own.
  void Remove(const std::shared_ptr<grpc::ClientContext>& context);
  void CancelAll();
  // Cancels, and waits until no call is left. Not to be called from a call's own callbacks.
  void Shutdown();

 private:
  Mutex mutex_;
  CondVar removed_;
  std::set<std::shared_ptr<grpc::ClientContext>> calls_ ABSL_GUARDED_BY(mutex_);
  bool shut_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace conadv

#endif  // CONADV_WORKER_CLIENT_CALL_REGISTRY_H_
