// SPDX-License-Identifier: Apache-2.0
// The ParameterClient of a server that may be on this machine: then weights are read where the
// server has them, and gradients are read by it where they are. Else, and for what cannot go that
// way, everything goes over the network. Which it is, is asked of the server with the first call
// after each Reset. Thread-safe.
#ifndef CONADV_CLIENT_SHARED_MEMORY_SHARED_MEMORY_CLIENT_H_
#define CONADV_CLIENT_SHARED_MEMORY_SHARED_MEMORY_CLIENT_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <variant>
#include <vector>

#include "client/shared_memory/link.h"
#include "client/transfer/parameter_client.h"
#include "client/transfer/peer_identity.h"
#include "common/os/file_descriptor.h"

namespace conadv {

class SharedMemoryClient final : public ParameterClient {
 public:
  // `arenas` are those that gradients lie in; they outlive the client.
  SharedMemoryClient(std::unique_ptr<ParameterClient> network, const SharedArenas* arenas,
                     uint64_t layout_hash, std::string worker);
  ~SharedMemoryClient() override;

  void Pull(const PullSelector& selector, absl::Duration timeout, Allocate allocate,
            PullDone done) override;
  bool pushes_gradually(size_t elements) const override;
  void Push(const PushContent& content, absl::Duration timeout, PushDone done) override;
  void Describe(absl::Duration timeout, DescribeDone done) override;
  void SetLineage(Lineage lineage) override;
  void Reset() override;
  void Shutdown() override;
  const std::string& address() const override { return peer_.address(); }

 private:
  enum class State {
    kUnknown,  // whether the server is on this machine
    kAsking,   // calls are held until it is known
    kLinked,
    kNetwork,  // until the next Reset
  };
  struct PullCall {
    PullSelector selector;
    Allocate allocate;
    PullDone done;
  };
  struct PushCall {
    PushContent content;  // alive until the server has answered: it reads from it
    PushDone done;
    uint64_t segment = 0;
    size_t sent = 0;  // chunks of it, if they leave one after the other
  };
  struct Call {
    absl::Time deadline;
    std::variant<PullCall, PushCall> content;
  };

  void Start(Call call);
  // False: it has to go over the network.
  bool TrySend(Call* call) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // What is final of a push and has not been sent, if it is worth a message.
  void SendParts(uint64_t number) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // The way from values that have become final to the client, which may be gone by then.
  struct Wakeup {
    Mutex mutex;
    SharedMemoryClient* client = nullptr;  // until it is shut down; under the mutex
  };
  static void Continue(Wakeup* wakeup, uint64_t number);
  void OnDescribed(uint64_t generation, const absl::StatusOr<ServerDescription>& server);
  void GoByNetwork(Call call);
  static void End(const Call& call, const absl::Status& status);

  void Loop();
  void Receive(const std::shared_ptr<Link>& link);
  void OnAnswer(const std::shared_ptr<Link>& link, const SharedResponse& answer);
  void OnPulled(const std::shared_ptr<Link>& link, uint64_t number, const SharedPulled& pulled,
                const PullCall& call);
  void Expire(const std::shared_ptr<Link>& link);
  // The calls that are open end with `status`; the next one asks anew.
  void Break(const std::shared_ptr<Link>& link, const absl::Status& status);
  // Ends everything with `status`, and forgets the server.
  void Drop(const absl::Status& status);

  const std::unique_ptr<ParameterClient> network_;
  const SharedArenas* const arenas_;
  const uint64_t layout_hash_;
  const std::string worker_;
  PeerIdentity peer_;
  const FileDescriptor wake_;  // readable: a deadline has come nearer
  const std::shared_ptr<Wakeup> wakeup_ = std::make_shared<Wakeup>();
  mutable Mutex mutex_;
  CondVar changed_;
  State state_ ABSL_GUARDED_BY(mutex_) = State::kUnknown;
  bool shut_ ABSL_GUARDED_BY(mutex_) = false;
  uint64_t generation_ ABSL_GUARDED_BY(mutex_) = 0;  // of what is known of the server
  int breaks_ ABSL_GUARDED_BY(mutex_) = 0;           // of links, since the last Reset
  uint64_t last_call_ ABSL_GUARDED_BY(mutex_) = 0;
  std::shared_ptr<Link> link_ ABSL_GUARDED_BY(mutex_);  // while kLinked
  absl::Time wakes_at_ ABSL_GUARDED_BY(mutex_) = absl::InfiniteFuture();
  std::map<uint64_t, Call> calls_ ABSL_GUARDED_BY(mutex_);  // over the link
  std::vector<Call> held_ ABSL_GUARDED_BY(mutex_);          // while kAsking
  std::thread thread_;  // begun with the first link, under the mutex
};

}  // namespace conadv

#endif  // CONADV_CLIENT_SHARED_MEMORY_SHARED_MEMORY_CLIENT_H_
