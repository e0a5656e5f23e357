// SPDX-License-Identifier: Apache-2.0
#include "server/transfer/shared_memory/local_session.h"

#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"

namespace conadv {
namespace {

// Before others have their turn.
constexpr int kMessagesAtOnce = 64;

}  // namespace

struct LocalSession::Pull {
  Pull(Shard* shard, Incarnation incarnation) : session(shard, incarnation) {}

  PullSession session;
  // Start's return and the answer, in any order: only after both may the session end.
  std::atomic<int> halves{0};
};

LocalSession::LocalSession(const LocalParts& parts, LocalSocket socket)
    : parts_(parts),
      socket_(std::move(socket)),
      segments_(parts.segments),
      heard_(parts.clock->Now()) {}

LocalSession::~LocalSession() = default;

absl::Status LocalSession::Receive() {
  for (int i = 0; i < kMessagesAtOnce; ++i) {
    absl::StatusOr<std::optional<LocalMessage>> message = socket_.Receive();
    if (message.ok() && !message->has_value()) return absl::OkStatus();
    absl::Status status = message.status();
    if (status.ok()) status = OnMessage(**message);
    if (status.ok()) continue;
    if (!absl::IsUnavailable(status)) Send({0, status});
    return status;
  }
  return absl::OkStatus();
}

absl::Status LocalSession::OnMessage(const LocalMessage& message) {
  CONADV_ASSIGN_OR_RETURN(const SharedRequest request, ParseSharedRequest(message.bytes));
  {
    MutexLock lock(&mutex_);
    heard_ = parts_.clock->Now();
  }
  const auto* push = std::get_if<SharedPush>(&request.content);
  if (push != nullptr) return OnPush(request.call, *push, message.files);
  if (!message.files.empty()) {
    return absl::InvalidArgumentError("a file comes with a push alone");
  }
  if (const auto* query = std::get_if<PullQuery>(&request.content)) {
    return OnPull(request.call, *query);
  }
  if (const auto* parts = std::get_if<SharedParts>(&request.content)) {
    return OnParts(request.call, *parts);
  }
  if (std::holds_alternative<ReleaseVersion>(request.content)) return OnRelease(request.call);
  OnCancel(request.call);
  return absl::OkStatus();
}

absl::Status LocalSession::CheckNew(uint64_t call) const {
  if (pulls_.count(call) + pushes_.count(call) + leased_.count(call) > 0) {
    return absl::InvalidArgumentError(absl::StrCat("call: ", call, " is another's already"));
  }
  if (pulls_.size() + pushes_.size() + leased_.size() < kMostCalls) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("call: ", kMostCalls, " are open; the answers to those come first"));
}

absl::Status LocalSession::OnPull(uint64_t call, const PullQuery& query) {
  const auto pull = std::make_shared<Pull>(parts_.shard, parts_.incarnation);
  {
    MutexLock lock(&mutex_);
    CONADV_RETURN_IF_ERROR(CheckNew(call));
    pulls_[call] = pull;
  }
  pull->session.Start(
      query,
      [self = shared_from_this(), call, pull](const absl::Status& status) {
        self->OnReady(call, *pull, status);
        self->FinishHalf(call, *pull);
      },
      [] {});  // nothing that is read here takes time
  FinishHalf(call, *pull);
  return absl::OkStatus();
}

void LocalSession::FinishHalf(uint64_t call, Pull& pull) {
  if (pull.halves.fetch_add(1) == 0) return;
  std::shared_ptr<Pull> over;  // ends after the lock is gone
  MutexLock lock(&mutex_);
  const auto found = pulls_.find(call);
  // A lease may have the number by now, and the session may be closed.
  if (found == pulls_.end() || found->second.get() != &pull) return;
  over = std::move(found->second);
  pulls_.erase(found);
}

void LocalSession::OnReady(uint64_t call, Pull& pull, const absl::Status& status) {
  if (!status.ok()) return Send({call, status});
  const std::shared_ptr<const Arena> weights = pull.session.weights();
  const std::optional<SharedArenas::Shared> shared = parts_.arenas->Find(weights->data());
  if (!shared.has_value()) return Send({call, ByNetwork{"this version's memory is not shared"}});
  if (!parts_.leases->Add(weights.get(), parts_.shard->run()->mapped_versions)) {
    return Send({call, ByNetwork{"as many versions are mapped as may be"}});
  }
  {
    MutexLock lock(&mutex_);
    if (!closed_) {
      leased_[call] = weights;
      const bool is_new = given_.insert(shared->id).second;
      return SendLocked(
          {call, SharedPulled{pull.session.Next().header, {shared->id, shared->segment->bytes()}}},
          is_new ? shared->segment->fd() : -1);
    }
  }
  parts_.leases->Remove(weights.get());
}

void LocalSession::OnCancel(uint64_t call) {
  std::shared_ptr<Pull> pull;
  std::shared_ptr<LocalPush> push;
  {
    MutexLock lock(&mutex_);
    if (const auto found = pulls_.find(call); found != pulls_.end()) pull = found->second;
    if (const auto found = pushes_.find(call); found != pushes_.end()) push = found->second;
  }
  if (push != nullptr) push->Cancel();
  // Not there, or too late: the answer is on its way.
  if (pull == nullptr || !pull->session.Cancel()) return;
  MutexLock lock(&mutex_);
  pulls_.erase(call);
}

absl::Status LocalSession::OnRelease(uint64_t call) {
  std::shared_ptr<const Arena> arena;  // goes after the lock is gone
  {
    MutexLock lock(&mutex_);
    const auto found = leased_.find(call);
    if (found == leased_.end()) {
      return absl::InvalidArgumentError(absl::StrCat("release: call ", call, " has no version"));
    }
    arena = std::move(found->second);
    leased_.erase(found);
  }
  parts_.leases->Remove(arena.get());
  return absl::OkStatus();
}

absl::Status LocalSession::OnPush(uint64_t call, const SharedPush& push,
                                  const std::vector<FileDescriptor>& files) {
  {
    MutexLock lock(&mutex_);
    CONADV_RETURN_IF_ERROR(CheckNew(call));
  }
  const std::shared_ptr<const Shard::Run> run = parts_.shard->run();
  if (run == nullptr) {
    Send({call, absl::FailedPreconditionError("there are no initial weights yet")});
    return absl::OkStatus();
  }
  const size_t bytes = SegmentBytes(run->layout.total_size() * sizeof(float));
  const auto segment = segments_.Find(push.segment, files, bytes);
  if (absl::IsResourceExhausted(segment.status())) {
    Send({call, ByNetwork{std::string(segment.status().message())}});
    return absl::OkStatus();
  }
  CONADV_RETURN_IF_ERROR(segment.status());
  const auto made = std::make_shared<LocalPush>(
      parts_, push.header, *segment, [this] { return !closed() && !socket_.hung_up(); },
      [self = shared_from_this(), call](const auto& reply) { self->AnswerPush(call, reply); });
  {
    MutexLock lock(&mutex_);
    pushes_[call] = made;
  }
  return made->Add({{push.part}, !push.more});
}

absl::Status LocalSession::OnParts(uint64_t call, const SharedParts& parts) {
  std::shared_ptr<LocalPush> push;
  {
    MutexLock lock(&mutex_);
    const auto found = pushes_.find(call);
    if (found == pushes_.end()) return absl::OkStatus();  // it is answered
    push = found->second;
  }
  return push->Add(parts);
}

void LocalSession::AnswerPush(uint64_t call, const absl::StatusOr<PushReply>& reply) {
  std::shared_ptr<LocalPush> over;  // ends after the lock is gone
  MutexLock lock(&mutex_);
  if (const auto found = pushes_.find(call); found != pushes_.end()) {
    over = std::move(found->second);
    pushes_.erase(found);
  }
  SharedResponse response{call, reply.status()};
  if (reply.ok()) response.content = *reply;
  SendLocked(response, -1);
}

void LocalSession::Send(const SharedResponse& response) {
  MutexLock lock(&mutex_);
  SendLocked(response, -1);
}

void LocalSession::SendLocked(const SharedResponse& response, int file) {
  if (closed_) return;
  // The answers to all its calls fit: who takes none of them is cut off.
  if (!socket_.Send(EncodeSharedResponse(response), file).ok()) socket_.Shutdown();
}

void LocalSession::SendForgotten() {
  MutexLock lock(&mutex_);
  for (auto segment = given_.begin(); segment != given_.end();) {
    if (parts_.arenas->Has(*segment)) {
      ++segment;
      continue;
    }
    SendLocked({0, ForgetSegment{*segment}}, -1);
    segment = given_.erase(segment);
  }
}

void LocalSession::Close() {
  std::map<uint64_t, std::shared_ptr<Pull>> pulls;
  std::map<uint64_t, std::shared_ptr<LocalPush>> pushes;  // those that wait for parts end here
  std::map<uint64_t, std::shared_ptr<const Arena>> leased;
  {
    MutexLock lock(&mutex_);
    if (std::exchange(closed_, true)) return;
    pulls.swap(pulls_);
    pushes.swap(pushes_);
    leased.swap(leased_);
  }
  socket_.Shutdown();
  for (const auto& [call, pull] : pulls) pull->session.Cancel();
  for (const auto& [call, arena] : leased) {
    parts_.arenas->Retire(arena->data());
    parts_.leases->Remove(arena.get());
  }
}

bool LocalSession::Idles(absl::Duration patience) const {
  const absl::Time now = parts_.clock->Now();
  MutexLock lock(&mutex_);
  return !closed_ && !leased_.empty() && now - heard_ >= patience;
}

bool LocalSession::closed() const {
  MutexLock lock(&mutex_);
  return closed_;
}

}  // namespace conadv
