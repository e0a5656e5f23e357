// SPDX-License-Identifier: Apache-2.0
#include "server/rpc/connections/connection_guard.h"

#include <fcntl.h>
#include <glog/logging.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "common/os/release_memory.h"

namespace conadv {
namespace {

// What epoll says of the descriptor that wakes the thread; all else counts on from there.
constexpr uint64_t kWake = 0;
// When there is no descriptor left for a connection.
constexpr absl::Duration kAcceptAgain = absl::Milliseconds(100);
// Without it, a socket would wake the thread for each segment that it gets.
constexpr uint32_t kOnce = EPOLLIN | EPOLLRDHUP | EPOLLONESHOT;

// What the kernel has received of the peer since the connection's begin. 0: it does not say.
uint64_t ReceivedBytes(const FileDescriptor& socket) {
  tcp_info info{};
  socklen_t size = sizeof(info);
  if (getsockopt(socket.get(), IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return 0;
  return info.tcpi_bytes_received;
}

}  // namespace

absl::StatusOr<std::unique_ptr<ConnectionGuard>> ConnectionGuard::Listen(Options options) {
  absl::StatusOr<ListeningSockets> listening = ListenOn(options.listen);
  if (!listening.ok()) return listening.status();
  FileDescriptor epoll(epoll_create1(EPOLL_CLOEXEC));
  FileDescriptor wake(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!epoll.open() || !wake.open()) return absl::UnavailableError("no descriptors are left");
  return std::unique_ptr<ConnectionGuard>(new ConnectionGuard(
      std::move(options), *std::move(listening), std::move(epoll), std::move(wake)));
}

ConnectionGuard::ConnectionGuard(Options options, ListeningSockets listening, FileDescriptor epoll,
                                 FileDescriptor wake)
    : options_(std::move(options)),
      port_(listening.port),
      epoll_(std::move(epoll)),
      wake_(std::move(wake)),
      last_id_(kWake) {
  Watch(wake_.get(), kWake, EPOLLIN, EPOLL_CTL_ADD);
  for (FileDescriptor& socket : listening.sockets) {
    listeners_.emplace(++last_id_, std::move(socket));
  }
}

ConnectionGuard::~ConnectionGuard() {
  if (!thread_.joinable()) return;
  stopped_ = true;
  Wake();
  thread_.join();
}

void ConnectionGuard::SetLimits(const UntakenBytes::Limits& limits) {
  memory_bytes_ = limits.memory_bytes;
  sent_ahead_bytes_ = limits.sent_ahead_bytes;
}

void ConnectionGuard::AddTo(grpc::ServerBuilder* builder,
                            const std::shared_ptr<grpc::ServerCredentials>& credentials) {
  using Type = grpc::ServerBuilder::experimental_type::ExternalConnectionType;
  acceptor_ = builder->experimental().AddExternalConnectionAcceptor(Type::FROM_FD, credentials);
}

void ConnectionGuard::Begin() {
  for (const auto& [id, socket] : listeners_) Watch(socket.get(), id, EPOLLIN, EPOLL_CTL_ADD);
  thread_ = std::thread([this] { Loop(); });
}

void ConnectionGuard::StopListening() {
  if (!thread_.joinable()) return listeners_.clear();
  stop_listening_ = true;
  Wake();
  MutexLock lock(&mutex_);
  while (listens_) changed_.Wait(&mutex_);
}

void ConnectionGuard::Wake() const {
  const uint64_t one = 1;
  CHECK_EQ(write(wake_.get(), &one, sizeof(one)), static_cast<ssize_t>(sizeof(one)));
}

void ConnectionGuard::Watch(int fd, uint64_t id, uint32_t events, int operation) const {
  epoll_event event{};
  event.events = events;
  event.data.u64 = id;
  PCHECK(epoll_ctl(epoll_.get(), operation, fd, &event) == 0) << "epoll_ctl";
}

int ConnectionGuard::Patience(absl::Time now) const {
  absl::Time until = absl::InfiniteFuture();
  if (!active_.empty()) until = next_look_;
  if (!resting_.empty()) until = std::min(until, accept_again_);
  if (until == absl::InfiniteFuture()) return -1;
  return static_cast<int>(absl::ToInt64Milliseconds(std::clamp(
      absl::Ceil(until - now, absl::Milliseconds(1)), absl::ZeroDuration(), absl::Seconds(1))));
}

void ConnectionGuard::Loop() {
  std::array<epoll_event, 64> events;
  while (!stopped_) {
    const int count = epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()),
                                 Patience(options_.clock->Now()));
    PCHECK(count >= 0 || errno == EINTR) << "epoll_wait";
    for (int i = 0; i < count; ++i) {
      const epoll_event& event = events[static_cast<size_t>(i)];
      const uint64_t id = event.data.u64;
      if (id == kWake) {
        uint64_t times = 0;
        PCHECK(read(wake_.get(), &times, sizeof(times)) > 0 || errno == EAGAIN);
        if (stop_listening_) CloseListeners();
      } else if (listeners_.count(id) != 0) {
        Accept(id);
      } else if ((event.events & (EPOLLHUP | EPOLLERR)) != 0) {
        Drop(id);
      } else if (connections_.count(id) != 0) {
        active_.insert(id);
      }
    }
    const absl::Time now = options_.clock->Now();
    if (!active_.empty() && now >= next_look_) Look(now);
    if (!resting_.empty() && now >= accept_again_) {
      for (const uint64_t id : std::exchange(resting_, {})) {
        Watch(listeners_.at(id).get(), id, EPOLLIN, EPOLL_CTL_ADD);
      }
    }
  }
}

void ConnectionGuard::Accept(uint64_t id) {
  const int listener = listeners_.at(id).get();
  FileDescriptor socket(accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (socket.open()) return Take(std::move(socket), listener);
  // A peer that has gone again, or nobody.
  if (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED) return;
  LOG_EVERY_N(WARNING, 100) << "a connection cannot be taken: " << std::strerror(errno);
  Watch(listener, id, 0, EPOLL_CTL_DEL);
  resting_.insert(id);
  accept_again_ = options_.clock->Now() + kAcceptAgain;
}

void ConnectionGuard::Take(FileDescriptor socket, int listener) {
  sockaddr_storage address{};
  socklen_t size = sizeof(address);
  // It may have gone already.
  if (getpeername(socket.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0) return;
  FileDescriptor copy(fcntl(socket.get(), F_DUPFD_CLOEXEC, 0));
  if (!copy.open()) return;
  const uint64_t id = ++last_id_;
  Connection& connection = connections_[id];
  connection.name = PeerName(address);
  connection.taken = options_.taken->Add(connection.name);
  Watch(copy.get(), id, kOnce, EPOLL_CTL_ADD);
  connection.socket = std::move(copy);
  grpc::experimental::ExternalConnectionAcceptor::NewConnectionParameters parameters;
  parameters.listener_fd = listener;
  parameters.fd = socket.Release();
  acceptor_->HandleNewConnection(&parameters);
}

void ConnectionGuard::Look(absl::Time now) {
  for (const uint64_t id : active_) {
    const Connection& connection = connections_.at(id);
    // What calls took before what came: in the other order more would have been taken than came.
    const uint64_t taken = *connection.taken;
    untaken_.Update(id, ReceivedBytes(connection.socket), taken);
  }
  const UntakenBytes::Limits limits{memory_bytes_, sent_ahead_bytes_};
  uint64_t process_bytes = options_.process_bytes();
  UntakenBytes::Decision decision = untaken_.Look(limits, process_bytes, now);
  if (decision.release) {
    ReleaseMemory();
    process_bytes = options_.process_bytes();
    decision = untaken_.Look(limits, process_bytes, now);
  }
  for (const UntakenBytes::Victim& victim : decision.cut_off) CutOff(victim);
  for (const uint64_t id : std::exchange(active_, {})) {
    Watch(connections_.at(id).socket.get(), id, kOnce, EPOLL_CTL_MOD);
  }
  next_look_ = now + UntakenBytes::NextLook(limits, process_bytes);
}

void ConnectionGuard::CutOff(const UntakenBytes::Victim& victim) {
  const Connection& connection = connections_.at(victim.connection);
  LOG(WARNING) << "the connection of " << connection.name << " is cut off: it has sent "
               << (victim.untaken_bytes >> 20)
               << " MiB that no call takes, and there is no memory left for more";
  // Not shutdown(2): gRPC would still read what the kernel holds. This throws it away.
  const sockaddr nobody{AF_UNSPEC, {}};
  if (connect(connection.socket.get(), &nobody, sizeof(nobody)) != 0) {
    shutdown(connection.socket.get(), SHUT_RDWR);
  }
  Drop(victim.connection);
}

void ConnectionGuard::Drop(uint64_t id) {
  const auto found = connections_.find(id);
  if (found == connections_.end()) return;
  options_.taken->Remove(found->second.name, found->second.taken);
  untaken_.Remove(id);
  active_.erase(id);
  // The descriptor is gRPC's, too: epoll would still tell of it.
  Watch(found->second.socket.get(), id, 0, EPOLL_CTL_DEL);
  connections_.erase(found);
}

void ConnectionGuard::CloseListeners() {
  resting_.clear();
  listeners_.clear();
  MutexLock lock(&mutex_);
  listens_ = false;
  changed_.NotifyAll();
}

}  // namespace conadv
