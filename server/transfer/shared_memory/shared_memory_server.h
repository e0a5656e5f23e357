// SPDX-License-Identifier: Apache-2.0
// Where processes of this machine come for a shard's versions, and with their pushes, without the
// network: one thread that listens and takes messages, a pool that copies. Thread-safe.
#ifndef CONADV_SERVER_TRANSFER_SHARED_MEMORY_SHARED_MEMORY_SERVER_H_
#define CONADV_SERVER_TRANSFER_SHARED_MEMORY_SHARED_MEMORY_SERVER_H_

#include <atomic>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "absl/status/statusor.h"
#include "common/shared_memory/local_socket.h"
#include "common/thread/thread_pool.h"
#include "server/transfer/shared_memory/local_session.h"

namespace conadv {

class SharedMemoryServer {
 public:
  struct Options {
    Shard* shard = nullptr;
    Incarnation incarnation;
    SharedArenas* arenas = nullptr;  // that the shard's versions lie in
    const Clock* clock = nullptr;
    // Of peers that say nothing while others find no room for their leases, and of pushes of which
    // nothing comes while there is no room for others.
    absl::Duration patience = absl::Seconds(10);
    int threads = 2;  // that copy
  };
  // The pointers outlive it. UNAVAILABLE, with the reason: it cannot listen.
  static absl::StatusOr<std::unique_ptr<SharedMemoryServer>> Start(const Options& options);
  ~SharedMemoryServer();

  // The socket's, which Describe tells.
  const std::string& name() const { return name_; }
  // That peers have mapped.
  size_t mapped_versions() const { return leases_.arenas(); }
  // Call it now and then: peers let go of segments that are no more, and those who hold versions
  // and do nothing are cut off, and pushes that stand still ended, if others find no room.
  void MakeRoom();
  // Cuts off all; what is being copied is answered to nobody. Again: no effect.
  void Stop();

 private:
  SharedMemoryServer(const Options& options, std::string name, LocalListener listener,
                     FileDescriptor epoll, FileDescriptor stop);
  void Loop();
  void Accept();
  void Receive(int fd);
  std::shared_ptr<LocalSession> Find(int fd) const;

  const std::string name_;
  const absl::Duration patience_;
  std::optional<LocalListener> listener_;
  const FileDescriptor epoll_;
  const FileDescriptor stop_;  // readable: to be stopped
  PushWatch watch_;
  LeaseBook leases_;
  std::atomic<size_t> segments_{0};
  std::unique_ptr<ThreadPool> pool_;
  LocalParts parts_;
  mutable Mutex mutex_;
  std::map<int, std::shared_ptr<LocalSession>> sessions_ ABSL_GUARDED_BY(mutex_);  // by descriptor
  std::thread thread_;
};

}  // namespace conadv

#endif  // CONADV_SERVER_TRANSFER_SHARED_MEMORY_SHARED_MEMORY_SERVER_H_
