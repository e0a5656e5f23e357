// SPDX-License-Identifier: Apache-2.0
// The pipeline's loading, attacks and passes, and what becomes of their gradients.
#include <utility>

#include "common/base/clock.h"
#include "glog/logging.h"
#include "worker/schedule/pipeline.h"

namespace conadv {

// The push of a pass's gradients, from its first words on, or else from its end.
class Pipeline::PassPush final : public PassProgress {
 public:
  PassPush(const Parts& parts, const Contribution& header, std::shared_ptr<const Arena> gradients,
           ContributionSink::Done done)
      : parts_(parts),
        header_(header),
        gradients_(std::move(gradients)),
        done_(std::move(done)),
        begun_(Clock::Real().Now()) {}

  void OnMeasures(float loss, float accuracy) override {
    SetMeasures(loss, accuracy);
    open_ = parts_.sink->Open(header_, std::move(gradients_), begun_, std::move(done_));
  }
  void OnTensor(size_t placement) override { open_->Ready(placement); }

  void Finish(const PassMeasures& measures) {
    if (open_ != nullptr) return open_->Finish();
    SetMeasures(measures.loss, measures.accuracy);
    parts_.sink->Push(header_, std::move(gradients_), std::move(done_));
  }
  // False: it had not begun, and nothing will be heard of it.
  bool Abandon() {
    if (open_ == nullptr) return false;
    open_->Abandon();
    return true;
  }

 private:
  void SetMeasures(float loss, float accuracy) {
    header_.loss = loss;
    header_.accuracy = accuracy;
  }

  const Parts& parts_;
  Contribution header_;
  std::shared_ptr<const Arena> gradients_;
  ContributionSink::Done done_;
  const absl::Time begun_;
  std::shared_ptr<OpenPush> open_;
};

void Pipeline::RunLoad(const WorkPtr& work) {
  {
    MutexLock lock(&mutex_);
    if (!InHand(work)) return;
  }
  auto batch = parts_.compute->Load(work->progress.unit);
  if (!batch.ok()) return Fail(work, batch.status());
  {
    MutexLock lock(&mutex_);
    work->progress.examples = Stage::kDone;
    work->loaded = *std::move(batch);
  }
  Advance();
}

void Pipeline::RunAttack(const WorkPtr& work, int lane) {
  std::vector<std::shared_ptr<const Arena>> weights;
  std::shared_ptr<const UnitBatch> loaded;
  {
    MutexLock lock(&mutex_);
    if (!InHand(work)) return;
    weights.swap(work->replay_weights);
    if (options_.replays == 1) weights = {work->attack_weights};
    loaded = work->loaded;
    work->seen.begun = seen_.newest;
  }
  const bool moved = !weights.empty();
  auto batch =
      parts_.compute->Attack(lane, work->progress.unit, std::move(loaded), std::move(weights));
  if (!batch.ok()) return Fail(work, batch.status());
  if (moved) parts_.statistics->Attacked(slot_size_);
  {
    MutexLock lock(&mutex_);
    work->progress.attack = Stage::kDone;
    work->attacked = *std::move(batch);
    work->seen.ended = seen_.newest;
    if (!work->progress.needs_examples(options_)) work->loaded = nullptr;
    // Kept until the update's weights are known only where those may turn out to be older.
    if (options_.sync || work->progress.update_version.has_value()) work->attack_weights = nullptr;
  }
  Advance();
}

void Pipeline::RunPass(const WorkPtr& work, StreamIndex stream, int lane) {
  const bool attacked = options_.streams[stream.value()].attacked();
  Contribution header;
  std::shared_ptr<const Arena> weights;
  std::shared_ptr<const UnitBatch> batch;
  bool in_hand;
  {
    MutexLock lock(&mutex_);
    const UnitProgress& progress = work->progress;
    in_hand = InHand(work);
    if (!in_hand) --in_flight_;
    header.unit = progress.unit;
    header.lineage = work->lineage;
    header.stream = stream;
    header.update_version = *progress.update_version;
    header.attack_version = attacked ? *progress.attack_version : *progress.update_version;
    if (attacked) {
      header.attack_origins =
          OriginsOf(work->seen, seen_.first, header.attack_version, header.update_version);
    }
    weights = work->update_weights;
    batch = attacked ? work->attacked : work->loaded;
  }
  if (!in_hand) return Advance();
  if (header.attack_version < header.update_version) {
    header.attack_cosine = MeasureAttack(header.unit, *batch, weights, lane);
  }
  std::shared_ptr<Arena> gradients = parts_.gradients->Take();
  PassPush push(parts_, header, gradients,
                [this, work](const absl::Status& status) { OnPushed(work, status); });
  const absl::StatusOr<PassMeasures> pass = parts_.compute->Pass(
      lane, header.unit, stream, std::move(batch), std::move(weights), std::move(gradients), &push);
  if (pass.ok()) {
    if (pass->attacked_examples > 0) parts_.statistics->Attacked(pass->attacked_examples);
    // It leaves before anything else is begun.
    push.Finish(*pass);
  } else {
    // First of all: what a given up push brings must not break the session.
    Fail(work, pass.status());
    if (push.Abandon()) return;
  }
  {
    MutexLock lock(&mutex_);
    if (!pass.ok()) --in_flight_;
    UnitProgress& progress = work->progress;
    progress.passes[stream.value()] = Stage::kDone;
    if (pass.ok() && pass->attacked != nullptr) {
      progress.attack = Stage::kDone;
      progress.attack_version = progress.update_version;
      work->attacked = pass->attacked;
    }
    if (!progress.needs_examples(options_)) work->loaded = nullptr;
    if (progress.computed(options_)) {
      work->update_weights = nullptr;
      work->attacked = nullptr;
    }
  }
  Advance();
}

std::optional<float> Pipeline::MeasureAttack(const Unit& unit, const UnitBatch& attacked,
                                             const std::shared_ptr<const Arena>& weights,
                                             int lane) {
  const auto cosine = parts_.compute->AttackCosine(lane, unit, attacked, weights);
  if (cosine.ok()) return *cosine;
  // Training goes on without.
  LOG_FIRST_N(WARNING, 1) << cosine.status();
  return std::nullopt;
}

void Pipeline::OnPushed(const WorkPtr& work, const absl::Status& status) {
  bool done = false;
  {
    MutexLock lock(&mutex_);
    --in_flight_;
    if (status.ok() && InHand(work)) {
      done = ++work->pushed == options_.streams.size();
      if (done) Forget(work);
    }
  }
  if (absl::IsInvalidArgument(status)) {
    Fail(work, status);
  } else if (!status.ok()) {
    Break(work, status);
  } else if (done) {
    parts_.statistics->UnitDone();
    events_.done(work->progress.unit, work->lineage);
    CheckDrained();
  }
  Advance();
}

}  // namespace conadv
