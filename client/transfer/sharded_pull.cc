// SPDX-License-Identifier: Apache-2.0
#include "client/transfer/sharded_pull.h"

#include <algorithm>
#include <cstring>
#include <functional>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/clock.h"
#include "common/base/random.h"
#include "common/base/status_macros.h"
#include "common/thread/mutex.h"

namespace conadv {
namespace {

// How often a version is chosen anew: if that many versions are gone before the other shards
// answer, the server retains too few.
constexpr int kMostChoices = 100;

}  // namespace

// One pull, shared by the callbacks of its calls. A chain of calls to one shard is sequential; the
// shards' chains are not.
class ShardedPull::Attempt : public std::enable_shared_from_this<Attempt> {
 public:
  Attempt(std::shared_ptr<Parts> parts, const PullSelector& selector, Done done)
      : parts_(std::move(parts)),
        selector_(selector),
        done_(std::move(done)),
        begin_(Clock::Real().Now()),
        lineages_(parts_->clients.size()) {
    const uint64_t seed = RandomIncarnation().value();
    for (size_t shard = 0; shard < parts_->clients.size(); ++shard) {
      backoff_.emplace_back(parts_->options.backoff, seed + shard);
    }
  }

  void Start() {
    if (!server_chooses()) return PullExactly(Version(selector_.value), std::nullopt);
    Call(chooser_, selector_,
         [self = shared_from_this()](const absl::StatusOr<PulledShard>& pulled) {
           if (!pulled.ok()) {
             return self->Fail(self->chooser_, self->selector_, pulled.status());
           }
           self->PullExactly(pulled->version, self->chooser_);
         });
  }

 private:
  using ShardDone = std::function<void(const absl::StatusOr<PulledShard>&)>;

  bool server_chooses() const { return selector_.kind != PullSelector::Kind::kExactly; }

  // From all shards but the one that has given it already.
  void PullExactly(Version version, std::optional<uint32_t> given) {
    const uint32_t shards = static_cast<uint32_t>(parts_->clients.size());
    {
      MutexLock lock(&mutex_);
      open_ = shards - (given.has_value() ? 1 : 0);
      error_ = absl::OkStatus();
    }
    if (shards == 1 && given.has_value()) return Finish(version);
    for (uint32_t shard = 0; shard < shards; ++shard) {
      if (shard == given) continue;
      Call(shard, PullSelector::Exactly(version).Averaged(selector_.averaged),
           [self = shared_from_this(), version, shard](const absl::StatusOr<PulledShard>& pulled) {
             absl::Status error;
             {
               MutexLock lock(&self->mutex_);
               if (self->error_.ok() && !pulled.ok()) {
                 self->error_ = pulled.status();
                 self->failed_ = shard;
               }
               if (--self->open_ > 0) return;
               error = self->error_;
             }
             error.ok() ? self->Finish(version) : self->ChooseAgain(version, error);
           });
    }
  }

  // One shard's part, as often as it takes.
  void Call(uint32_t shard, const PullSelector& selector, ShardDone done) {
    const auto self = shared_from_this();
    const bool patient = shard == chooser_ || selector_.kind == PullSelector::Kind::kExactly ||
                         selector_.kind == PullSelector::Kind::kAtLeast;
    const absl::Duration most =
        (patient ? parts_->options.long_poll : parts_->options.lagging_shard) +
        TransferAllowance(parts_->layout->arena_size(shard) * sizeof(float));
    const absl::Duration left = begin_ + parts_->options.timeout - Clock::Real().Now();
    const bool last = left <= most;
    parts_->clients[shard]->Pull(
        selector.As(parts_->options.type), std::min(most, left),
        [self, shard](Version) { return self->Place(shard); },
        [self, shard, selector, again = patient && !last,
         done](const absl::StatusOr<PulledShard>& pulled) {
          if (pulled.ok()) {
            const absl::Status received = self->Received(shard, *pulled);
            return received.ok() ? done(pulled) : done(received);
          }
          const absl::Status& status = pulled.status();
          if (absl::IsDeadlineExceeded(status)) {
            if (again) return self->Call(shard, selector, done);
          } else if (IsTransient(status)) {
            const auto wait = self->backoff_[shard].Next(Clock::Real().Now());
            if (wait.has_value()) {
              return self->parts_->timer->After(
                  *wait, [self, shard, selector, done] { self->Call(shard, selector, done); });
            }
          }
          done(status);
        });
  }

  // The shard's part of the arena, which is made once there is something to put there.
  absl::Span<float> Place(uint32_t shard) {
    MutexLock lock(&mutex_);
    if (arena_ == nullptr) arena_ = parts_->pool.Take();
    return arena_->span().subspan(parts_->layout->arena_begin(shard),
                                  parts_->layout->arena_size(shard));
  }

  absl::Status Received(uint32_t shard, const PulledShard& pulled) {
    if (pulled.weights != nullptr) CONADV_RETURN_IF_ERROR(Take(shard, pulled.weights));
    MutexLock lock(&mutex_);
    first_chunk_ = std::min(first_chunk_, pulled.first_chunk);
    lineages_[shard] = pulled.lineage;
    return absl::OkStatus();
  }

  // One shard's arena is all there is. Of several each has its part of the whole one copied: they
  // begin where tensors end, not at pages, so that they cannot be mapped beside each other.
  absl::Status Take(uint32_t shard, const std::shared_ptr<const Arena>& weights) {
    if (weights->size() != parts_->layout->arena_size(shard)) {
      return absl::DataLossError(absl::StrCat("an arena of ", weights->size(),
                                              " elements, expected ",
                                              parts_->layout->arena_size(shard)));
    }
    const bool whole = parts_->clients.size() == 1;
    if (!whole) std::memcpy(Place(shard).data(), weights->data(), weights->bytes());
    MutexLock lock(&mutex_);
    if (whole) whole_ = weights;
    shared_bytes_ += weights->bytes();
    return absl::OkStatus();
  }

  // Another shard could not answer with the choice. No call is open.
  void ChooseAgain(Version choice, const absl::Status& error) {
    const bool evicted = absl::IsOutOfRange(error), lags = absl::IsDeadlineExceeded(error);
    if (!server_chooses() || !(evicted || lags) || ++choices_ > kMostChoices) {
      return Fail(failed_, PullSelector::Exactly(choice).Averaged(selector_.averaged), error);
    }
    // What the lagging shard has, the others have kept.
    if (lags) chooser_ = failed_;
    Start();
  }

  void Finish(Version version) {
    std::shared_ptr<const Arena> weights;
    absl::Time begin;
    bool one_lineage;
    uint64_t shared;
    {
      MutexLock lock(&mutex_);
      one_lineage = std::adjacent_find(lineages_.begin(), lineages_.end(), std::not_equal_to<>()) ==
                    lineages_.end();
      weights = whole_ != nullptr ? std::move(whole_) : std::move(arena_);
      // What was pulled for another choice counts too, once at most.
      shared = std::min<uint64_t>(shared_bytes_, weights->bytes());
      // Of a version that was waited for, the transfer alone.
      begin = server_chooses() ? begin_ : first_chunk_;
    }
    if (!one_lineage) {
      return Answer(absl::UnavailableError("the run has gone back to a checkpoint meanwhile"));
    }
    const uint64_t network = (weights->bytes() - shared) / sizeof(float);
    parts_->observer->Pulled(Clock::Real().Now() - begin,
                             {network * BytesOf(parts_->options.type), shared});
    Answer(VersionedWeights{version, std::move(weights)});
  }

  void Fail(uint32_t shard, const PullSelector& selector, const absl::Status& error) {
    if (parts_->options.describe) return Answer(parts_->options.describe(shard, selector, error));
    Answer(absl::Status(error.code(),
                        absl::StrCat("pull of ", selector.ToString(), " from shard ", shard, " at ",
                                     parts_->clients[shard]->address(), ": ", error.message())));
  }

  void Answer(absl::StatusOr<VersionedWeights> answer) {
    const Done done = std::move(done_);
    done(std::move(answer));
  }

  const std::shared_ptr<Parts> parts_;
  PullSelector selector_;  // changes only while no call is open
  Done done_;
  const absl::Time begin_;
  std::vector<Backoff> backoff_;  // by shard
  uint32_t chooser_ = 0;          // the shard that chooses the version
  int choices_ = 0;
  Mutex mutex_;
  std::shared_ptr<Arena> arena_ ABSL_GUARDED_BY(mutex_);
  std::shared_ptr<const Arena> whole_ ABSL_GUARDED_BY(mutex_);  // instead
  uint64_t shared_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  absl::Time first_chunk_ ABSL_GUARDED_BY(mutex_) = absl::InfiniteFuture();
  std::vector<Lineage> lineages_ ABSL_GUARDED_BY(mutex_);  // by shard
  uint32_t open_ ABSL_GUARDED_BY(mutex_) = 0;
  absl::Status error_ ABSL_GUARDED_BY(mutex_);
  uint32_t failed_ = 0;  // the shard of the error; read when no call is open
};

ShardedPull::ShardedPull(std::shared_ptr<const Layout> layout,
                         std::vector<ParameterClient*> clients, Timer* timer,
                         TransferObserver* observer, const PullOptions& options)
    : parts_(std::make_shared<Parts>(
          Parts{layout, std::move(clients), timer, observer, options,
                // As many as are replaced while a few passes still hold theirs.
                ArenaPool(layout->total_size(), 4)})) {}

void ShardedPull::Pull(const PullSelector& selector, Done done) {
  std::make_shared<Attempt>(parts_, selector, std::move(done))->Start();
}

}  // namespace conadv
