// SPDX-License-Identifier: Apache-2.0
// A whole conadv-server: the parts put together, listening. One owner; Start to destruction.
#ifndef CONADV_SERVER_PROCESS_SERVER_H_
#define CONADV_SERVER_PROCESS_SERVER_H_

#include <grpcpp/resource_quota.h>
#include <grpcpp/server.h>

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "common/os/resident_memory.h"
#include "common/security/authorizer.h"
#include "common/security/security_files.h"
#include "common/thread/thread_pool.h"
#include "common/wire/client_credentials.h"
#include "server/clip/norm_table.h"
#include "server/observe/server_window.h"
#include "server/rpc/connections/connection_guard.h"
#include "server/rpc/data/parameter_service.h"
#include "server/rpc/inspect/inspector_service.h"
#include "server/rpc/membership/coordinator_service.h"
#include "server/rpc/membership/shard_session.h"
#include "server/rpc/operate/operator_service.h"
#include "server/transfer/shared_memory/shared_memory_server.h"

namespace conadv {

// How it proves itself, and whom it lets in.
struct ServerSecurity {
  SecurityFiles files;
  // Of `files`. nullptr: everybody may do everything.
  std::shared_ptr<Authorizer> authorizer;
  ClientCredentials credentials;  // that a shard shows to the coordinator
};

struct LaunchOptions {
  v1::Job job;
  uint32_t shard = 0;
  uint32_t shards = 1;
  std::string listen;          // HOST:PORT; port 0 picks a free one
  std::string advertise;       // as others reach it; empty: the listening address
  std::string coordinator;     // of shards other than 0
  std::string checkpoint_dir;  // overrides the job's
  int threads = 2;             // that add and update
  absl::Duration evaluator_patience;
  bool begin_anew = false;  // see CoordinatorOptions
  bool serve_when_done = false;
  ReaderOptions readers;
  // For a call that is for messages from a peer, until the first comes: as long as a handshake has.
  absl::Duration first_message_patience = absl::Seconds(20);
  // Of this process: what processes of this machine share with it. nullptr: they come over the
  // network.
  SharedArenas* shared_memory = nullptr;
  ServerSecurity security;
  // What the process had before all servers, which no limit of a run's memory has in it. 0: what it
  // has when this one starts.
  uint64_t process_bytes = 0;
  // Whoever looks at this server from outside; nullptr: nobody does.
  ServerWindow* window = nullptr;
};

class Server {
 public:
  // Listens and, on shards other than 0, joins the coordinator. INVALID_ARGUMENT: the job's broken
  // rules. UNAVAILABLE: the address is in use or not ours.
  static absl::StatusOr<std::unique_ptr<Server>> Start(LaunchOptions options);
  ~Server();

  const std::string& address() const { return address_; }
  // Until the run is over and its last checkpoint written, or it has failed (why), or `stopped`
  // says so (OK). With serve_when_done it goes on serving until `stopped`. UNAVAILABLE: this
  // lineage is over, because a shard or the coordinator was lost; a new Server goes on from the
  // newest checkpoint.
  absl::Status Run(const std::function<bool()>& stopped);
  // Bytes that its weights, optimizer and contributions take, and may.
  Shard::Memory memory() const { return shard_->memory(); }
  // After Run: whether the run is over, rather than this server stopped.
  bool over() const { return over_; }
  // After Run: its disk does not answer, and what is being written there may never end. Then it
  // cannot be destroyed.
  bool disk_hangs() const { return disk_hangs_; }
  // After Run: an addition or an update does not end. It cannot be destroyed then either.
  bool pool_hangs() const { return pool_hangs_; }
  // Whether it has published a version that it made.
  bool progressed() const { return events_->progress().last.has_value(); }

 private:
  Server(LaunchOptions options, const Job& job, SettingsRecord settings);
  void ShareMemory();
  absl::Status Listen();
  absl::StatusOr<v1::Hello> Hello();
  absl::Status JoinCoordinator();
  ServerParts Parts();
  void BoundConnections();
  void MakeRoom();
  void TellHealth();
  absl::Status WaitUntilOver(absl::Duration timeout);
  // What calls that wait for something new are told when this server goes.
  absl::Status LastWord() const;
  absl::Status ServeUntil(const std::function<bool()>& stopped);
  // It is to stop: false once what can be saved is, or too much time has passed.
  bool Saves();

  const LaunchOptions options_;
  const Job job_;
  const Incarnation incarnation_;
  FirstMessages first_messages_;
  const ResidentMemory resident_;
  const uint64_t process_bytes_;  // before there was anything of the run
  grpc::ResourceQuota quota_;     // of what peers have sent and nobody has taken
  uint64_t quota_bytes_ = 0;
  std::string address_;
  bool in_haste_ = false;  // a successor waits for the address
  bool over_ = false;      // the run is
  bool disk_hangs_ = false;
  bool pool_hangs_ = false;
  std::optional<absl::Time> save_until_;
  std::unique_ptr<Coordinator> coordinator_;  // shard 0
  WorkerStatsBook stats_;
  std::unique_ptr<Checkpointer> checkpointer_;
  std::unique_ptr<ShardEvents> events_;
  std::unique_ptr<NormTable> norms_;  // shard 0 of several, where all clip together
  std::unique_ptr<Shard> shard_;
  std::unique_ptr<SharedMemoryServer> shared_memory_;
  std::unique_ptr<ThreadPool> pool_;
  TakenBytes taken_;
  std::unique_ptr<ConnectionGuard> guard_;
  std::unique_ptr<ParameterService> parameter_service_;
  std::unique_ptr<CoordinatorService> coordinator_service_;
  std::unique_ptr<InspectorService> inspector_service_;
  std::unique_ptr<OperatorService> operator_service_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<LocalShard> local_;      // shard 0
  std::unique_ptr<ShardSession> session_;  // other shards
};

}  // namespace conadv

#endif  // CONADV_SERVER_PROCESS_SERVER_H_
