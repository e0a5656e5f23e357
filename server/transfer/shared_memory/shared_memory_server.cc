// SPDX-License-Identifier: Apache-2.0
#include "server/transfer/shared_memory/shared_memory_server.h"

#include <glog/logging.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

#include <array>
#include <cerrno>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"

namespace conadv {
namespace {

// Processes of one machine; what comes after them goes over the network.
constexpr size_t kMostSessions = 512;

bool Watch(const FileDescriptor& epoll, int fd) {
  epoll_event event{};
  event.events = EPOLLIN | EPOLLRDHUP;
  event.data.fd = fd;
  return epoll_ctl(epoll.get(), EPOLL_CTL_ADD, fd, &event) == 0;
}

}  // namespace

absl::StatusOr<std::unique_ptr<SharedMemoryServer>> SharedMemoryServer::Start(
    const Options& options) {
  // Random, and told to those alone who have reached the server: nobody else has taken it.
  std::string name = absl::StrCat("conadv-", absl::Hex(options.incarnation.value()));
  CONADV_ASSIGN_OR_RETURN(LocalListener listener, LocalListener::Listen(name));
  FileDescriptor epoll(epoll_create1(EPOLL_CLOEXEC));
  FileDescriptor stop(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!epoll.open() || !stop.open() || !Watch(epoll, listener.fd()) || !Watch(epoll, stop.get())) {
    return absl::UnavailableError("epoll");
  }
  return std::unique_ptr<SharedMemoryServer>(new SharedMemoryServer(
      options, std::move(name), std::move(listener), std::move(epoll), std::move(stop)));
}

SharedMemoryServer::SharedMemoryServer(const Options& options, std::string name,
                                       LocalListener listener, FileDescriptor epoll,
                                       FileDescriptor stop)
    : name_(std::move(name)),
      patience_(options.patience),
      listener_(std::move(listener)),
      epoll_(std::move(epoll)),
      stop_(std::move(stop)),
      watch_(options.clock),
      pool_(std::make_unique<ThreadPool>(options.threads)) {
  parts_.shard = options.shard;
  parts_.incarnation = options.incarnation;
  parts_.arenas = options.arenas;
  parts_.clock = options.clock;
  parts_.watch = &watch_;
  parts_.leases = &leases_;
  parts_.segments = &segments_;
  parts_.pool = pool_.get();
  thread_ = std::thread([this] { Loop(); });
}

SharedMemoryServer::~SharedMemoryServer() { Stop(); }

void SharedMemoryServer::Stop() {
  if (!thread_.joinable()) return;
  const uint64_t one = 1;
  CHECK_EQ(write(stop_.get(), &one, sizeof(one)), static_cast<ssize_t>(sizeof(one)));
  thread_.join();
  std::map<int, std::shared_ptr<LocalSession>> sessions;
  {
    MutexLock lock(&mutex_);
    sessions.swap(sessions_);
  }
  for (const auto& [fd, session] : sessions) session->Close();
  listener_.reset();
  // Runs what was submitted; a push that the shard's pool still has answers a closed session.
  pool_.reset();
}

void SharedMemoryServer::MakeRoom() {
  if (parts_.shard->refuses(patience_)) watch_.EvictIdle(patience_);
  const bool cut_off = leases_.TakeRefused();
  std::vector<std::shared_ptr<LocalSession>> sessions;
  {
    MutexLock lock(&mutex_);
    for (const auto& [fd, session] : sessions_) sessions.push_back(session);
  }
  for (const auto& session : sessions) {
    session->SendForgotten();
    if (!cut_off || !session->Idles(patience_)) continue;
    LOG(WARNING) << "a process of this machine that has versions mapped is cut off: it says "
                    "nothing, and others wait for its place";
    session->HangUp();
  }
}

void SharedMemoryServer::Loop() {
  std::array<epoll_event, 64> events;
  for (;;) {
    const int count = epoll_wait(epoll_.get(), events.data(), events.size(), -1);
    if (count < 0 && errno != EINTR) {
      LOG(ERROR) << "shared memory: no more messages are taken: epoll_wait failed";
      return;
    }
    for (int i = 0; i < count; ++i) {
      const int fd = events[static_cast<size_t>(i)].data.fd;
      if (fd == stop_.get()) return;
      listener_.has_value() && fd == listener_->fd() ? Accept() : Receive(fd);
    }
  }
}

void SharedMemoryServer::Accept() {
  for (;;) {
    absl::StatusOr<std::optional<LocalSocket>> socket = listener_->Accept();
    if (!socket.ok()) {
      LOG(WARNING) << "shared memory: no more processes are let in: " << socket.status().message();
      listener_.reset();
      return;
    }
    if (!socket->has_value()) return;
    const auto session = std::make_shared<LocalSession>(parts_, *std::move(*socket));
    MutexLock lock(&mutex_);
    if (sessions_.size() >= kMostSessions || !Watch(epoll_, session->fd())) continue;
    sessions_[session->fd()] = session;
  }
}

std::shared_ptr<LocalSession> SharedMemoryServer::Find(int fd) const {
  MutexLock lock(&mutex_);
  const auto found = sessions_.find(fd);
  return found == sessions_.end() ? nullptr : found->second;
}

void SharedMemoryServer::Receive(int fd) {
  const std::shared_ptr<LocalSession> session = Find(fd);
  if (session == nullptr) return;
  const absl::Status status = session->Receive();
  if (status.ok()) return;
  if (!absl::IsUnavailable(status)) {
    LOG(WARNING) << "shared memory: a process of this machine is cut off: " << status.message();
  }
  epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
  session->Close();
  MutexLock lock(&mutex_);
  sessions_.erase(fd);
}

}  // namespace conadv
