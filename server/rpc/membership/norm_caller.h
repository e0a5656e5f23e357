// SPDX-License-Identifier: Apache-2.0
// The norms of shards other than 0, on their way to it: a call for each update, on a thread of its
// own. Thread-safe.
#ifndef CONADV_SERVER_RPC_MEMBERSHIP_NORM_CALLER_H_
#define CONADV_SERVER_RPC_MEMBERSHIP_NORM_CALLER_H_

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>

#include <functional>
#include <memory>
#include <optional>
#include <thread>

#include "common/thread/mutex.h"
#include "conadv/v1/parameter_server.grpc.pb.h"
#include "server/clip/norm_exchange.h"
#include "server/shard/shard.h"

namespace conadv {

class NormCaller final : public NormExchange {
 public:
  // `broken` is called once, on the caller's thread, with why a call failed: none will be made any
  // more. `shard` and what `broken` uses outlive the caller.
  NormCaller(const std::shared_ptr<grpc::Channel>& channel, const Shard* shard,
             std::function<void(const absl::Status&)> broken);
  ~NormCaller() override { Stop(); }

  void Combine(const Layout& layout, ShardNorms own, Callback done) override;
  // Ends what is under way; who waits is not answered. What comes later is dropped.
  void Stop();

 private:
  struct Call {
    v1::CombineNormsRequest request;
    Callback done;
  };

  void Run();
  // The next call, with its context ready to be cancelled; nothing: it is over.
  std::optional<Call> Next();

  const std::unique_ptr<v1::ParameterServer::Stub> stub_;
  const Shard* const shard_;
  const std::function<void(const absl::Status&)> broken_;
  Mutex mutex_;
  CondVar changed_;
  std::optional<Call> call_ ABSL_GUARDED_BY(mutex_);
  std::optional<grpc::ClientContext> context_ ABSL_GUARDED_BY(mutex_);  // of the call under way
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;  // last: it uses the rest
};

}  // namespace conadv

#endif  // CONADV_SERVER_RPC_MEMBERSHIP_NORM_CALLER_H_
