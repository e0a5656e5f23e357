// SPDX-License-Identifier: Apache-2.0
// What shards other than 0 have to do with the coordinator: fetch the job, join, do what it asks,
// follow the order of updates, and hear that the run is over. Calls block; threads of its own.
#ifndef CONADV_SERVER_RPC_MEMBERSHIP_SHARD_SESSION_H_
#define CONADV_SERVER_RPC_MEMBERSHIP_SHARD_SESSION_H_

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "client/run/member_stream.h"
#include "common/thread/mutex.h"
#include "common/thread/timer.h"
#include "common/wire/client_credentials.h"
#include "conadv/v1/coordinator.pb.h"
#include "server/agent/shard_agent.h"
#include "server/rpc/membership/norm_caller.h"
#include "server/shard/shard.h"

namespace conadv {

// Waits for a coordinator that starts later, until `stopped` says otherwise. UNAVAILABLE names the
// address. Other errors are the last word of who answers there.
absl::StatusOr<v1::Job> FetchJob(const std::string& address, absl::Duration timeout,
                                 const std::function<bool()>& stopped,
                                 const ClientCredentials& credentials = {});

class ShardSession {
 public:
  // `shard` and `checkpointer` outlive the session, and the session the shard's tasks.
  ShardSession(std::shared_ptr<grpc::Channel> channel, std::string coordinator, v1::Hello hello,
               Shard* shard, Checkpointer* checkpointer);
  ~ShardSession();

  // Waits until the coordinator says that the run is over (OK) or the session broke, or `timeout`
  // has passed (DEADLINE_EXCEEDED). UNAVAILABLE: another session may go better; other errors are
  // the coordinator's last word.
  absl::Status WaitUntilOver(absl::Duration timeout);
  // After the run: OK until the session breaks (UNAVAILABLE).
  absl::Status WaitUntilBroken(absl::Duration timeout);
  // This process was told to stop: asks for a checkpoint first.
  void BeginStop();
  // Whether it is there, or cannot be had, or there is nothing to save.
  bool stop_saved() const;
  // The shard has done everything: lets the coordinator end, and waits a moment for its goodbye.
  void Leave();
  // Ends the session. What the checkpointer was asked for still answers here, to nobody.
  void Stop();

 private:
  ShardAgent::Answers MakeAnswers();
  MemberStream::Events MakeEvents();
  void Handle(const v1::JoinResponse& response);
  void OnClosed(const absl::Status& status);
  bool ClipsGlobally() const { return shard_->job().optimizer.global_clip_norm > 0; }
  void Follow();
  void End(const absl::Status& status);

  const std::shared_ptr<grpc::Channel> channel_;
  const std::string coordinator_;
  Shard* const shard_;
  Checkpointer* const checkpointer_;
  grpc::ClientContext watch_context_;
  mutable Mutex mutex_;
  CondVar changed_;
  bool over_ ABSL_GUARDED_BY(mutex_) = false;
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;  // the stream is
  bool stop_saved_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Status status_ ABSL_GUARDED_BY(mutex_);              // why the session ended
  std::optional<Version> restored_ ABSL_GUARDED_BY(mutex_);  // what the follower begins with
  ShardAgent agent_;
  ThreadTimer timer_;
  const std::shared_ptr<MemberStream> stream_;
  std::thread follower_;
  std::unique_ptr<NormCaller> norms_;
};

}  // namespace conadv

#endif  // CONADV_SERVER_RPC_MEMBERSHIP_SHARD_SESSION_H_
