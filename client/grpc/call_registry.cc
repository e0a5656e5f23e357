// SPDX-License-Identifier: Apache-2.0
#include "client/grpc/call_registry.h"

#include "common/wire/status.h"

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

void CallRegistry::Cancel(const std::shared_ptr<grpc::ClientContext>& context) {
  {
    MutexLock lock(&mutex_);
    calls_.erase(context);
  }
  context->TryCancel();
}

absl::Status CallRegistry::EndOf(const std::shared_ptr<grpc::ClientContext>& context,
                                 const grpc::Status& status) const {
  if (status.error_code() != grpc::StatusCode::CANCELLED) return FromGrpc(status, *context);
  MutexLock lock(&mutex_);
  const bool ours = calls_.count(context) == 0;
  return ours ? absl::CancelledError("this client ended the call")
              : absl::UnavailableError("the server ended the call: it was idle, and others waited");
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
