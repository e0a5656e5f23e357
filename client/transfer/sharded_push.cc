// SPDX-License-Identifier: Apache-2.0
#include "client/transfer/sharded_push.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/clock.h"
#include "common/base/random.h"
#include "common/thread/mutex.h"
#include "common/wire/chunk.h"

namespace conadv {

// One push to all shards, shared by the callbacks of its calls.
class ShardedPush::Attempt : public OpenPush, public std::enable_shared_from_this<Attempt> {
 public:
  Attempt(std::shared_ptr<const Parts> parts, std::vector<PushContent> contents, Done done)
      : parts_(std::move(parts)),
        contents_(std::move(contents)),
        whole_at_(Clock::Real().Now()),
        done_(std::move(done)),
        open_(contents_.size()) {
    const uint64_t seed = RandomIncarnation().value();
    for (size_t shard = 0; shard < contents_.size(); ++shard) {
      backoff_.emplace_back(parts_->options.backoff, seed + shard);
    }
  }

  void Start() {
    for (size_t shard = 0; shard < contents_.size(); ++shard) Call(shard);
  }
  // The values are still being computed, by a pass that began then.
  void StartGradually(absl::Time begun) {
    begun_ = begun;
    for (PushContent& content : contents_) {
      ready_.push_back(
          std::make_shared<ReadyChunks>(content.range, kChunkBytes / BytesOf(content.type)));
      content.ready = ready_.back();
    }
    early_.assign(contents_.size(), true);
    Start();
  }

  void Ready(size_t placement) override {
    const Placement& place = parts_->layout->placements()[placement];
    ready_[place.shard]->Add({place.offset, place.offset + place.tensor.padded_size()});
  }
  void Finish() override {
    {
      MutexLock lock(&mutex_);
      whole_at_ = Clock::Real().Now();
    }
    for (const auto& ready : ready_) ready->AddRest();
  }
  void Abandon() override {
    for (const auto& ready : ready_) ready->Abandon();
  }

 private:
  // Whether the shard's call may begin; if not, it is made again when it may, or ended.
  bool MayBegin(size_t shard) {
    if (ready_.empty()) return true;
    ReadyChunks& ready = *ready_[shard];
    const bool early =
        early_[shard] && parts_->clients[shard]->pushes_gradually(contents_[shard].range.size());
    const size_t needed = early ? 1 : ready.count();
    const ReadyChunks::Next next =
        ready.Get(needed - 1, [self = shared_from_this(), shard] { self->Call(shard); });
    if (next.state == ReadyChunks::State::kNever) {
      ShardDone(shard, absl::CancelledError("its gradients were given up"));
    }
    return next.state == ReadyChunks::State::kReady;
  }

  absl::Duration Timeout(size_t shard) const {
    const absl::Duration timeout =
        parts_->options.timeout + TransferAllowance(contents_[shard].range.size() * sizeof(float));
    if (ready_.empty() || ready_[shard]->whole()) return timeout;
    // The rest of the pass, of which at least the third has passed that its forward pass takes. If
    // it takes longer, its gradients leave once more when they are whole.
    constexpr int kOfThePart = 3;
    return timeout + kOfThePart * (Clock::Real().Now() - begun_);
  }

  void Call(size_t shard) {
    if (!MayBegin(shard)) return;
    parts_->clients[shard]->Push(
        contents_[shard], Timeout(shard),
        [self = shared_from_this(), shard](const absl::StatusOr<PushReply>& answer) {
          if (IsTransient(answer.status())) {
            const auto wait = self->backoff_[shard].Next(Clock::Real().Now(), answer.status());
            if (!self->ready_.empty() && !self->ready_[shard]->whole()) {
              // It came too early, or took its room for too long. Nobody knows when it is whole:
              // the time until then is not a failure's.
              self->early_[shard] = false;
              self->backoff_[shard].Reset();
            }
            if (wait.has_value()) {
              return self->parts_->timer->After(*wait, [self, shard] { self->Call(shard); });
            }
          }
          self->ShardDone(shard, answer);
        });
  }

  void ShardDone(size_t shard, const absl::StatusOr<PushReply>& answer) {
    const absl::Status& status = answer.status();
    Done done;
    absl::Status error;
    absl::Time whole_at;
    {
      MutexLock lock(&mutex_);
      if (!status.ok() && error_.ok()) {
        error_ = absl::Status(
            status.code(), absl::StrCat("push to shard ", shard, " at ",
                                        parts_->clients[shard]->address(), ": ", status.message()));
      }
      if (status.ok()) {
        const uint64_t elements = contents_[shard].range.size();
        if (answer->shared) {
          bytes_.shared += elements * sizeof(float);
        } else {
          bytes_.network += elements * BytesOf(contents_[shard].type);
        }
      }
      if (--open_ > 0) return;
      done = std::move(done_);
      error = error_;
      whole_at = whole_at_;
    }
    if (error.ok()) parts_->observer->Pushed(Clock::Real().Now() - whole_at, bytes_);
    // The gradients' arena goes back to its pool before more work begins.
    contents_.clear();
    done(error);
  }

  const std::shared_ptr<const Parts> parts_;
  std::vector<PushContent> contents_;                // by shard
  std::vector<Backoff> backoff_;                     // by shard
  std::vector<std::shared_ptr<ReadyChunks>> ready_;  // by shard; empty: all is final
  std::vector<char> early_;  // by shard, of a call's callbacks: whether it may begin before all is
  absl::Time begun_;
  Mutex mutex_;
  absl::Time whole_at_ ABSL_GUARDED_BY(mutex_);
  Done done_ ABSL_GUARDED_BY(mutex_);
  size_t open_ ABSL_GUARDED_BY(mutex_);
  TransferredBytes bytes_;  // written under the mutex, read after the last
  absl::Status error_ ABSL_GUARDED_BY(mutex_);
};

ShardedPush::ShardedPush(std::shared_ptr<const Layout> layout, GradientStreams streams,
                         std::vector<ParameterClient*> clients, Timer* timer,
                         TransferObserver* observer, const PushOptions& options)
    : parts_(std::make_shared<Parts>(Parts{std::move(layout), std::move(streams),
                                           std::move(clients), timer, observer, options})) {}

std::vector<PushContent> ShardedPush::ContentsOf(const Contribution& header,
                                                 std::shared_ptr<const Arena> gradients) const {
  std::vector<PushContent> contents;
  for (uint32_t shard = 0; shard < parts_->clients.size(); ++shard) {
    contents.push_back({header, gradients, parts_->layout->arena_begin(shard),
                        RangeOf(*parts_->layout, shard, parts_->streams[header.stream.value()]),
                        parts_->options.type});
  }
  return contents;
}

std::shared_ptr<OpenPush> ShardedPush::Open(const Contribution& header,
                                            std::shared_ptr<const Arena> gradients,
                                            absl::Time begun, Done done) {
  auto attempt =
      std::make_shared<Attempt>(parts_, ContentsOf(header, std::move(gradients)), std::move(done));
  attempt->StartGradually(begun);
  return attempt;
}

void ShardedPush::Push(const Contribution& header, std::shared_ptr<const Arena> gradients,
                       Done done) {
  std::make_shared<Attempt>(parts_, ContentsOf(header, std::move(gradients)), std::move(done))
      ->Start();
}

void ShardedPush::PushInitialWeights(std::shared_ptr<const Plan> plan,
                                     std::shared_ptr<const Arena> weights, Done done) {
  std::vector<PushContent> contents;
  for (uint32_t shard = 0; shard < parts_->clients.size(); ++shard) {
    contents.push_back({plan, weights, parts_->layout->arena_begin(shard),
                        Range{0, parts_->layout->arena_size(shard)}, ElementType::kFloat32});
  }
  std::make_shared<Attempt>(parts_, std::move(contents), std::move(done))->Start();
}

}  // namespace conadv
