// SPDX-License-Identifier: Apache-2.0
#include "client/shared_memory/shared_memory_client.h"

#include <glog/logging.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/shared_memory/push_parts.h"
#include "client/transfer/pull_assembly.h"
#include "common/base/clock.h"
#include "common/base/status_macros.h"

namespace conadv {
namespace {

// For the question whether the server is here.
constexpr absl::Duration kAsk = absl::Seconds(5);
// Less is copied sooner than its parts are handed over: steps of 4 workers with 16 MB took 0.90 of
// the time, those of 64 with 4 MB 1.39.
constexpr size_t kLeastGradualElements = 4'000'000;
// A server that ends links again and again is left to the network.
constexpr int kMostBreaks = 3;

absl::Status ShutDown() { return absl::CancelledError("this client is shutting down"); }

// Until something is to be read from one of them, or `until`.
void WaitToRead(int link, int wake, absl::Time until) {
  std::array<pollfd, 2> files = {pollfd{link, POLLIN, 0}, pollfd{wake, POLLIN, 0}};
  timespec left{};
  const bool ever = until != absl::InfiniteFuture();
  if (ever) {
    left = absl::ToTimespec(std::max(until - Clock::Real().Now(), absl::ZeroDuration()));
  }
  ppoll(files.data(), files.size(), ever ? &left : nullptr, nullptr);
  uint64_t woken;
  if (files[1].revents != 0 && read(wake, &woken, sizeof(woken)) < 0) return;  // somebody else did
}

}  // namespace

SharedMemoryClient::SharedMemoryClient(std::unique_ptr<ParameterClient> network,
                                       const SharedArenas* arenas, uint64_t layout_hash,
                                       std::string worker)
    : network_(std::move(network)),
      arenas_(arenas),
      layout_hash_(layout_hash),
      worker_(std::move(worker)),
      peer_(network_->address()),
      wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  wakeup_->client = this;
}

SharedMemoryClient::~SharedMemoryClient() { Shutdown(); }

void SharedMemoryClient::Pull(const PullSelector& selector, absl::Duration timeout,
                              Allocate allocate, PullDone done) {
  Start({Clock::Real().Now() + timeout, PullCall{selector, std::move(allocate), std::move(done)}});
}

bool SharedMemoryClient::pushes_gradually(size_t elements) const {
  MutexLock lock(&mutex_);
  const bool known =
      state_ == State::kNetwork || (state_ == State::kLinked && elements >= kLeastGradualElements);
  return known && network_->pushes_gradually(elements);
}

void SharedMemoryClient::Push(const PushContent& content, absl::Duration timeout, PushDone done) {
  Start({Clock::Real().Now() + timeout, PushCall{content, std::move(done)}});
}

void SharedMemoryClient::Describe(absl::Duration timeout, DescribeDone done) {
  network_->Describe(timeout, std::move(done));
}

void SharedMemoryClient::SetLineage(Lineage lineage) {
  peer_.SetLineage(lineage);
  network_->SetLineage(lineage);
}

void SharedMemoryClient::Start(Call call) {
  uint64_t generation = 0;
  {
    MutexLock lock(&mutex_);
    if (!shut_ && state_ == State::kLinked && TrySend(&call)) return;
    if (!shut_ && (state_ == State::kUnknown || state_ == State::kAsking)) {
      held_.push_back(std::move(call));
      if (state_ == State::kAsking) return;
      state_ = State::kAsking;
      generation = ++generation_;
    }
  }
  if (generation == 0) return GoByNetwork(std::move(call));
  network_->Describe(kAsk, [this, generation](const absl::StatusOr<ServerDescription>& server) {
    OnDescribed(generation, server);
  });
}

void SharedMemoryClient::OnDescribed(uint64_t generation,
                                     const absl::StatusOr<ServerDescription>& server) {
  absl::StatusOr<LocalSocket> socket = absl::UnavailableError("it shares none");
  if (server.ok()) {
    if (!server->shared_memory.empty() && wake_.open()) {
      socket = LocalSocket::Connect(server->shared_memory);
    }
    if (!socket.ok()) {
      LOG(INFO) << address()
                << ": no shared memory, but the network: " << socket.status().message();
    }
  }
  std::vector<Call> held;
  {
    MutexLock lock(&mutex_);
    if (shut_ || generation != generation_) return;  // nobody is held any more
    state_ = server.ok() ? State::kNetwork : State::kUnknown;
    if (socket.ok()) {
      link_ = std::make_shared<Link>(*std::move(socket));
      state_ = State::kLinked;
      if (!thread_.joinable()) thread_ = std::thread([this] { Loop(); });
      changed_.NotifyAll();
    }
    held.swap(held_);
  }
  // Without an answer they ask the network itself, and get its error.
  for (Call& call : held) server.ok() ? Start(std::move(call)) : GoByNetwork(std::move(call));
}

bool SharedMemoryClient::TrySend(Call* call) {
  const uint64_t number = ++last_call_;
  absl::Status sent;
  bool more = false;
  if (const auto* pull = std::get_if<PullCall>(&call->content)) {
    // Rounded on its way, as it would be over the network: the same bits.
    if (pull->selector.type != ElementType::kFloat32) return false;
    sent = link_->Send(number, PullQuery{pull->selector, layout_hash_, peer_.lineage()});
  } else {
    auto& push = std::get<PushCall>(call->content);
    const PushContent& content = push.content;
    const auto segment = arenas_->Find(content.arena->data());
    // The initial weights come once, with a plan that may be long.
    if (!segment.has_value() || !std::holds_alternative<Contribution>(content.header)) return false;
    push.segment = segment->id;
    more = content.ready != nullptr && !content.ready->whole();
    sent = link_->Send(
        number,
        SharedPush{
            EncodePushHeader({layout_hash_, peer_.lineage(), worker_, content.header}),
            {},
            PartOf(content, {content.range.begin, more ? content.range.begin : content.range.end}),
            more},
        *segment);
  }
  if (!sent.ok()) {
    link_->Shutdown();  // the thread hears of it
    return false;
  }
  if (call->deadline < wakes_at_) {
    const uint64_t one = 1;
    if (write(wake_.get(), &one, sizeof(one)) < 0) LOG(ERROR) << "an eventfd cannot be written";
  }
  calls_.emplace(number, std::move(*call));
  if (more) SendParts(number);
  return true;
}

void SharedMemoryClient::SendParts(uint64_t number) {
  const auto found = calls_.find(number);
  if (found == calls_.end()) return;
  auto& push = std::get<PushCall>(found->second.content);
  while (push.sent < push.content.ready->count()) {
    NextParts next = TakeParts(push.content, &push.sent,
                               [wakeup = wakeup_, number] { Continue(wakeup.get(), number); });
    if (next.state == ReadyChunks::State::kLater) return;
    const bool never = next.state == ReadyChunks::State::kNever;
    // It is answered either way.
    const absl::Status sent =
        never ? link_->SendCancel(number) : link_->Send(number, std::move(next.parts));
    if (!sent.ok()) return link_->Shutdown();  // the thread hears of it
    if (never) return;
  }
}

void SharedMemoryClient::Continue(Wakeup* wakeup, uint64_t number) {
  MutexLock alive(&wakeup->mutex);
  SharedMemoryClient* const client = wakeup->client;
  if (client == nullptr) return;
  MutexLock lock(&client->mutex_);
  if (client->state_ == State::kLinked) client->SendParts(number);
}

void SharedMemoryClient::GoByNetwork(Call call) {
  const absl::Duration left = std::max(call.deadline - Clock::Real().Now(), absl::ZeroDuration());
  if (auto* pull = std::get_if<PullCall>(&call.content)) {
    network_->Pull(pull->selector, left, std::move(pull->allocate), std::move(pull->done));
  } else {
    auto& push = std::get<PushCall>(call.content);
    network_->Push(push.content, left, std::move(push.done));
  }
}

void SharedMemoryClient::End(const Call& call, const absl::Status& status) {
  if (const auto* pull = std::get_if<PullCall>(&call.content)) return pull->done(status);
  std::get<PushCall>(call.content).done(status);
}

void SharedMemoryClient::Loop() {
  for (;;) {
    std::shared_ptr<Link> link;
    absl::Time until = absl::InfiniteFuture();
    {
      MutexLock lock(&mutex_);
      while (!shut_ && link_ == nullptr) changed_.Wait(&mutex_);
      if (shut_) return;
      link = link_;
      for (const auto& [number, call] : calls_) until = std::min(until, call.deadline);
      wakes_at_ = until;
    }
    WaitToRead(link->fd(), wake_.get(), until);
    Receive(link);
    Expire(link);
  }
}

void SharedMemoryClient::Receive(const std::shared_ptr<Link>& link) {
  for (;;) {
    const absl::StatusOr<std::optional<SharedResponse>> answer = link->Receive();
    if (!answer.ok()) {
      return Break(link, absl::UnavailableError(answer.status().message()));
    }
    if (!answer->has_value()) return;
    OnAnswer(link, **answer);
  }
}

void SharedMemoryClient::OnAnswer(const std::shared_ptr<Link>& link, const SharedResponse& answer) {
  std::optional<Call> call;
  {
    MutexLock lock(&mutex_);
    if (link != link_) return;  // what it gives is the server's again, for good
    const auto found = calls_.find(answer.call);
    if (found != calls_.end()) {
      call = std::move(found->second);
      calls_.erase(found);
    }
  }
  const auto* pulled = std::get_if<SharedPulled>(&answer.content);
  if (!call.has_value()) {
    // Of a pull that was given up.
    if (pulled != nullptr && !link->SendRelease(answer.call).ok()) link->Shutdown();
    const auto* status = std::get_if<absl::Status>(&answer.content);
    if (status != nullptr && answer.call == 0) {
      LOG(WARNING) << address() << ": shared memory: " << status->message();
    }
    return;
  }
  if (const auto* by_network = std::get_if<ByNetwork>(&answer.content)) {
    VLOG(1) << address() << ": over the network: " << by_network->why;
    const auto* push = std::get_if<PushCall>(&call->content);
    if (push != nullptr) link->Withdraw(push->segment);
    return GoByNetwork(*std::move(call));
  }
  if (const auto* status = std::get_if<absl::Status>(&answer.content)) return End(*call, *status);
  if (auto* pull = std::get_if<PullCall>(&call->content); pull != nullptr && pulled != nullptr) {
    return OnPulled(link, answer.call, *pulled, *pull);
  }
  auto* const push = std::get_if<PushCall>(&call->content);
  const auto* const reply = std::get_if<PushReply>(&answer.content);
  if (push == nullptr || reply == nullptr) {
    return End(*call, absl::InternalError("the server answered something else"));
  }
  const absl::Status same = peer_.Check(reply->incarnation);
  if (!same.ok()) return push->done(same);
  PushReply shared = *reply;
  shared.shared = true;
  push->done(shared);
}

void SharedMemoryClient::OnPulled(const std::shared_ptr<Link>& link, uint64_t number,
                                  const SharedPulled& pulled, const PullCall& call) {
  const auto take = [&]() -> absl::StatusOr<PulledShard> {
    CONADV_ASSIGN_OR_RETURN(const PullHeader header, ParsePullHeader(pulled.header));
    CONADV_ASSIGN_OR_RETURN(std::shared_ptr<const Arena> weights,
                            link->Map(number, pulled, header.size));
    CONADV_RETURN_IF_ERROR(CheckPullHeader(header, call.selector, layout_hash_, &peer_));
    return PulledShard{header.version, header.lineage, Clock::Real().Now(), std::move(weights)};
  };
  call.done(take());
}

void SharedMemoryClient::Expire(const std::shared_ptr<Link>& link) {
  const absl::Time now = Clock::Real().Now();
  std::vector<std::pair<uint64_t, Call>> expired;
  {
    MutexLock lock(&mutex_);
    if (link != link_) return;
    for (auto call = calls_.begin(); call != calls_.end();) {
      if (call->second.deadline > now) {
        ++call;
        continue;
      }
      expired.emplace_back(call->first, std::move(call->second));
      call = calls_.erase(call);
    }
  }
  // The server may still read what is pushed: the link goes before that memory has other use.
  const bool pushes = std::any_of(expired.begin(), expired.end(), [](const auto& call) {
    return std::holds_alternative<PushCall>(call.second.content);
  });
  if (pushes) link->Shutdown();
  for (const auto& [number, call] : expired) {
    if (std::holds_alternative<PullCall>(call.content) && !link->SendCancel(number).ok()) {
      link->Shutdown();
    }
    End(call, absl::DeadlineExceededError("it has sent nothing in time"));
  }
}

void SharedMemoryClient::Break(const std::shared_ptr<Link>& link, const absl::Status& status) {
  std::map<uint64_t, Call> calls;
  link->Shutdown();
  {
    MutexLock lock(&mutex_);
    if (link != link_) return;
    link_ = nullptr;
    state_ = ++breaks_ < kMostBreaks ? State::kUnknown : State::kNetwork;
    calls.swap(calls_);
  }
  for (const auto& [number, call] : calls) End(call, status);
}

void SharedMemoryClient::Drop(const absl::Status& status) {
  std::map<uint64_t, Call> calls;
  std::vector<Call> held;
  {
    MutexLock lock(&mutex_);
    if (link_ != nullptr) link_->Shutdown();
    link_ = nullptr;
    state_ = State::kUnknown;
    breaks_ = 0;
    ++generation_;
    calls.swap(calls_);
    held.swap(held_);
  }
  for (const auto& [number, call] : calls) End(call, status);
  for (const Call& call : held) End(call, status);
}

void SharedMemoryClient::Reset() {
  Drop(absl::CancelledError("this client ended the call"));
  network_->Reset();
  peer_.Forget();
}

void SharedMemoryClient::Shutdown() {
  {
    MutexLock lock(&wakeup_->mutex);
    wakeup_->client = nullptr;
  }
  {
    MutexLock lock(&mutex_);
    shut_ = true;
    changed_.NotifyAll();
  }
  Drop(ShutDown());
  network_->Shutdown();
  if (thread_.joinable()) thread_.join();
}

}  // namespace conadv
