// SPDX-License-Identifier: Apache-2.0
#include "worker/client/call_registry.h"

namespace conadv {

bool CallRegistry::Add(const std::shared_ptr<grpc::ClientContext>& context) {
  MutexLock lock(&mutex_);
  if (shut_) return false;
  calls_.insert(context);
  ++active_;
  return true;
}

void CallRegistry::Remove(std::shared_ptr<grpc::ClientContext> context) {
  {
    MutexLock lock(&mutex_);
    calls_.erase(context);
  }
  context.reset();
  MutexLock lock(&mutex_);
  --active_;
  removed_.NotifyAll();
}

void CallRegistry::CancelAll() {
  // Cancelling may run a call's last callback on this thread, which takes the lock.
  std::set<std::shared_ptr<grpc::ClientContext>> calls;
  {
    MutexLock lock(&mutex_);
    calls.swap(calls_);
  }
  for (const auto& context : calls) context->TryCancel();
}

bool CallRegistry::cancelled(const std::shared_ptr<grpc::ClientContext>& context) const {
  MutexLock lock(&mutex_);
  return calls_.count(context) == 0;
}

void CallRegistry::Shutdown() {
  {
    MutexLock lock(&mutex_);
    shut_ = true;
  }
  CancelAll();
  MutexLock lock(&mutex_);
  while (active_ > 0) removed_.Wait(&mutex_);
}

}  // namespace conadv
