// SPDX-License-Identifier: Apache-2.0
#include "server/rpc/membership/norm_caller.h"

#include <utility>

#include "common/wire/status.h"

namespace conadv {

NormCaller::NormCaller(const std::shared_ptr<grpc::Channel>& channel, const Shard* shard,
                       std::function<void(const absl::Status&)> broken)
    : stub_(v1::ParameterServer::NewStub(channel)),
      shard_(shard),
      broken_(std::move(broken)),
      thread_([this] { Run(); }) {}

void NormCaller::Combine(const Layout& layout, ShardNorms own, Callback done) {
  Call call{{}, std::move(done)};
  call.request.set_shard(shard_->shard());
  call.request.set_lineage(shard_->lineage().value());
  call.request.set_layout_hash(layout.hash());
  call.request.set_version(own.version.value());
  call.request.mutable_squares()->Add(own.squares.begin(), own.squares.end());
  MutexLock lock(&mutex_);
  call_ = std::move(call);
  changed_.NotifyAll();
}

std::optional<NormCaller::Call> NormCaller::Next() {
  MutexLock lock(&mutex_);
  context_.reset();
  while (!call_.has_value() && !stopped_) changed_.Wait(&mutex_);
  if (stopped_) return std::nullopt;
  // Without a deadline: a peer may be away for as long as its lease, and then this lineage is over
  // and so is the call.
  context_.emplace();
  return std::exchange(call_, std::nullopt);
}

void NormCaller::Run() {
  while (std::optional<Call> call = Next()) {
    grpc::ClientContext* context;
    {
      MutexLock lock(&mutex_);
      context = &*context_;
    }
    v1::CombineNormsResponse response;
    const grpc::Status status = stub_->CombineNorms(context, call->request, &response);
    if (!status.ok()) return broken_(FromGrpc(status));
    call->done(response.norm());
  }
}

void NormCaller::Stop() {
  {
    MutexLock lock(&mutex_);
    stopped_ = true;
    if (context_.has_value()) context_->TryCancel();
    changed_.NotifyAll();
  }
  if (thread_.joinable()) thread_.join();
}

}  // namespace conadv
