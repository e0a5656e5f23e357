// SPDX-License-Identifier: Apache-2.0
// Accepts a server's connections, hands them to gRPC, and cuts off those whose peers send more than
// the process has memory for. It accepts itself because gRPC tells nobody of its sockets, and they
// are what shows what a peer has sent before gRPC has it. One thread of its own, which sleeps while
// no peer sends; Listen to destruction, which is after the gRPC server's.
#ifndef CONADV_SERVER_RPC_CONNECTIONS_CONNECTION_GUARD_H_
#define CONADV_SERVER_RPC_CONNECTIONS_CONNECTION_GUARD_H_

#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server_builder.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <thread>

#include "absl/status/statusor.h"
#include "common/base/clock.h"
#include "common/os/file_descriptor.h"
#include "common/thread/mutex.h"
#include "server/rpc/connections/listening_sockets.h"
#include "server/rpc/connections/taken_bytes.h"
#include "server/rpc/connections/untaken_bytes.h"

namespace conadv {

class ConnectionGuard {
 public:
  struct Options {
    std::string listen;  // see ListenOn
    const Clock* clock = nullptr;
    // The process's bytes now, see ResidentMemory.
    std::function<uint64_t()> process_bytes;
    TakenBytes* taken = nullptr;  // where services count; outlives the guard
  };
  // Peers may connect from here on, and wait until Begin. UNAVAILABLE: see ListenOn.
  static absl::StatusOr<std::unique_ptr<ConnectionGuard>> Listen(Options options);
  ~ConnectionGuard();

  uint16_t port() const { return port_; }
  void SetLimits(const UntakenBytes::Limits& limits);

  // Before the server is built: it will be given this guard's connections.
  void AddTo(grpc::ServerBuilder* builder,
             const std::shared_ptr<grpc::ServerCredentials>& credentials);
  // Once the server is built.
  void Begin();
  // Before the server is shut down: no more connections come, and the address is free. Those that
  // are there are still guarded. Again: no effect.
  void StopListening();

 private:
  struct Connection {
    // A descriptor of our own, so that it can be no other connection's when gRPC has closed its.
    FileDescriptor socket;
    std::string name;
    TakenBytes::Counter taken;
  };

  ConnectionGuard(Options options, ListeningSockets listening, FileDescriptor epoll,
                  FileDescriptor wake);
  void Loop();
  // In milliseconds, as epoll_wait takes it; -1: for ever.
  int Patience(absl::Time now) const;
  void Accept(uint64_t listener);
  void Take(FileDescriptor socket, int listener);
  void Watch(int fd, uint64_t id, uint32_t events, int operation) const;
  void Look(absl::Time now);
  void CutOff(const UntakenBytes::Victim& victim);
  void Drop(uint64_t id);
  void CloseListeners();
  void Wake() const;

  const Options options_;
  const uint16_t port_;
  const FileDescriptor epoll_;
  const FileDescriptor wake_;
  std::unique_ptr<grpc::experimental::ExternalConnectionAcceptor> acceptor_;
  std::atomic<uint64_t> memory_bytes_{0};
  std::atomic<uint64_t> sent_ahead_bytes_{0};
  std::atomic<bool> stopped_{false};
  std::atomic<bool> stop_listening_{false};
  Mutex mutex_;
  CondVar changed_;
  bool listens_ ABSL_GUARDED_BY(mutex_) = true;

  // The thread's own, by what epoll says.
  std::map<uint64_t, FileDescriptor> listeners_;
  std::map<uint64_t, Connection> connections_;
  std::set<uint64_t> active_;   // that have received something since the last look
  std::set<uint64_t> resting_;  // listeners, until accept_again_
  uint64_t last_id_ = 0;
  UntakenBytes untaken_;
  absl::Time next_look_ = absl::InfinitePast();
  absl::Time accept_again_ = absl::InfinitePast();
  std::thread thread_;
};

}  // namespace conadv

#endif  // CONADV_SERVER_RPC_CONNECTIONS_CONNECTION_GUARD_H_
