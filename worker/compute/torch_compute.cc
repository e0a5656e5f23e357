// SPDX-License-Identifier: Apache-2.0
#include "worker/compute/torch_compute.h"

#include <torch/torch.h>

#include <exception>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/random.h"
#include "common/base/status_macros.h"
#include "worker/attack/attack.h"
#include "worker/attack/cosine.h"
#include "worker/compute/gradients.h"
#include "worker/compute/measured_unit.h"
#include "worker/data/permutation.h"
#include "worker/device/inputs.h"
#include "worker/model/replica.h"

namespace conadv {

struct UnitBatch {
  HostBatch loaded;
  HostBatch augmented;                       // if those are not the loaded ones
  Inputs attacked;                           // on the device, as the attack left them; or nothing
  torch::Tensor clean;                       // FREE: what the attack began around
  std::optional<AttackBeginning> beginning;  // of the attack, if the unit measures its cosine
};

struct TorchCompute::Lane {
  std::vector<std::unique_ptr<Replica>> passes;  // by stream
  std::unique_ptr<Replica> attack;               // nullptr if none attacks
};

namespace {

// Runs what LibTorch may throw from, which becomes an error, and every error names the unit: `what`
// is done "of" it.
template <class Run>
auto Guard(const std::string& what, Unit unit, const Run& run) -> decltype(run()) {
  absl::Status failure;
  try {
    auto result = run();
    if (result.ok()) return result;
    failure = result.status();
  } catch (const std::exception& error) {
    failure = absl::InternalError(error.what());
  }
  return absl::Status(failure.code(),
                      absl::StrCat("the ", what, " of ", unit.ToString(), ": ", failure.message()));
}

}  // namespace

TorchCompute::TorchCompute(const Job& job, std::shared_ptr<const Dataset> dataset,
                           std::shared_ptr<const Layout> layout, const NetworkFactory& factory,
                           std::shared_ptr<Device> device, int lanes)
    : job_(job),
      streams_(StreamsOf(job.training)),
      dataset_(std::move(dataset)),
      layout_(std::move(layout)),
      augmenter_(job.dataset.augmentation, job.seed),
      apart_(IndexOf(streams_, StreamKind::kAugmented).has_value() && streams_.size() > 1),
      device_(std::move(device)) {
  const auto make = [&](conadv::Pass pass, Precision precision) {
    return std::make_unique<Replica>(factory(), layout_, pass, device_.get(), precision);
  };
  // FREE's and FAST_ADVPROP's attacks are passes that train.
  const bool attacks = job.training.attacks() && job.training.replays == 1 &&
                       !IndexOf(streams_, StreamKind::kAttack).has_value();
  for (int i = 0; i < lanes; ++i) {
    auto lane = std::make_unique<Lane>();
    for (const GradientStream& stream : streams_) {
      lane->passes.push_back(make(TrainingPass(stream.branch), job.training.precision));
    }
    if (attacks) {
      lane->attack =
          make(job.attack.batch_statistics ? conadv::Pass::kAttackInBatch : conadv::Pass::kAttack,
               job.attack.precision);
    }
    lanes_.push_back(std::move(lane));
  }
}

TorchCompute::~TorchCompute() = default;

Unit TorchCompute::DataOf(Unit unit) const {
  return {Step(job_.training.data_step(unit.step.value())), unit.slot};
}

absl::StatusOr<std::shared_ptr<const UnitBatch>> TorchCompute::Load(Unit unit) {
  using Result = absl::StatusOr<std::shared_ptr<const UnitBatch>>;
  return Guard("examples", unit, [&]() -> Result {
    const TrainingOptions& training = job_.training;
    auto batch = std::make_shared<UnitBatch>();
    CONADV_ASSIGN_OR_RETURN(
        batch->loaded, LoadExamples(*dataset_,
                                    UnitExamples(job_.seed, dataset_->examples(), training.slots,
                                                 training.slot_size(), DataOf(unit)),
                                    *device_));
    Augment(DataOf(unit), batch.get());
    return batch;
  });
}

void TorchCompute::Augment(Unit unit, UnitBatch* batch) const {
  if (augmenter_.empty()) return;
  const ImageSize size = dataset_->image_size();
  std::vector<uint8_t> scratch;
  uint8_t* image = batch->loaded.image_bytes().data();
  uint8_t* augmented = nullptr;
  if (apart_) {
    batch->augmented = device_->NewBatch(batch->loaded.images.sizes());
    batch->augmented.labels.copy_(batch->loaded.labels);
    augmented = batch->augmented.image_bytes().data();
  }
  const auto planes = [&size](uint8_t* pixels) -> augment::Planes {
    return {size.channels, size.height, size.width, pixels};
  };
  const auto examples = static_cast<uint32_t>(batch->loaded.labels.size(0));
  for (uint32_t example = 0; example < examples; ++example, image += size.bytes()) {
    if (!apart_) {
      augmenter_.Apply(unit, example, planes(image), &scratch);
      continue;
    }
    augmenter_.ApplyApart(unit, example, planes(image), planes(augmented), &scratch);
    augmented += size.bytes();
  }
}

Inputs TorchCompute::InputsOf(StreamKind kind, const UnitBatch& batch) const {
  if (kind == StreamKind::kAdversarial) return batch.attacked;
  if (kind == StreamKind::kAugmented && apart_) return device_->PlaceInputs(batch.augmented);
  const Inputs all = device_->PlaceInputs(batch.loaded);
  if (job_.training.adversarial_share == 0) return all;
  const int64_t attacked = job_.training.attacked_size();
  const int64_t clean = all.labels.size(0) - attacked;
  const bool attacks = kind == StreamKind::kAttack;
  const int64_t begin = attacks ? clean : 0;
  const int64_t count = attacks ? attacked : clean;
  return {all.images.narrow(0, begin, count), all.labels.narrow(0, begin, count)};
}

uint64_t TorchCompute::SeedOf(Unit unit, size_t pass) const {
  const uint64_t slot = unit.slot.value();
  return Random(job_.seed, Purpose::kModel, unit.step.value(),
                static_cast<uint32_t>(slot * (kMostStreams + 1) + pass))
      .Next64();
}

absl::StatusOr<std::shared_ptr<const UnitBatch>> TorchCompute::Attack(
    int lane, Unit unit, std::shared_ptr<const UnitBatch> loaded,
    std::vector<std::shared_ptr<const Arena>> weights) {
  using Result = absl::StatusOr<std::shared_ptr<const UnitBatch>>;
  return Guard("attack", unit, [&]() -> Result {
    if (auto here = replays_.Find(unit); here != nullptr) return here;
    if (weights.size() < unit.step.value() % job_.training.replays) {
      return absl::AbortedError("what the step before left is gone");
    }
    const Inputs inputs = device_->PlaceInputs(loaded->loaded);
    auto batch = job_.training.replays > 1 ? Replay(lane, unit, inputs, std::move(weights))
                                           : MakeAttacked(lane, unit, inputs, weights.front());
    // Another lane may take it.
    device_->Finish();
    return batch;
  });
}

std::shared_ptr<const UnitBatch> TorchCompute::MakeAttacked(int lane, Unit unit,
                                                            const Inputs& inputs,
                                                            std::shared_ptr<const Arena> weights) {
  Replica& replica = *lanes_[lane]->attack;
  replica.BindWeights(std::move(weights));
  replica.SetSeed(SeedOf(unit, kMostStreams));
  auto batch = std::make_shared<UnitBatch>();
  if (MeasuresCosine(job_, unit)) batch->beginning.emplace();
  batch->attacked = {MakeAdversarial(replica, inputs.images, inputs.labels, dataset_->classes(),
                                     job_.attack, job_.training.label_smoothing, {job_.seed, unit},
                                     batch->beginning.has_value() ? &*batch->beginning : nullptr),
                     inputs.labels};
  return batch;
}

absl::StatusOr<std::optional<float>> TorchCompute::AttackCosine(
    int lane, Unit unit, const UnitBatch& attacked, std::shared_ptr<const Arena> weights) {
  using Result = absl::StatusOr<std::optional<float>>;
  if (!attacked.beginning.has_value()) return std::nullopt;
  return Guard("attack's cosine", unit, [&]() -> Result {
    const AttackBeginning& beginning = *attacked.beginning;
    Replica& replica = *lanes_[lane]->attack;
    replica.BindWeights(std::move(weights));
    // What the model draws is the attack's, too.
    replica.SetSeed(SeedOf(unit, kMostStreams));
    return MeanCosine(beginning.gradient, ImageGradient(replica, beginning.images, beginning.goals,
                                                        job_.training.label_smoothing));
  });
}

std::shared_ptr<const UnitBatch> TorchCompute::Replay(
    int lane, Unit unit, const Inputs& inputs, std::vector<std::shared_ptr<const Arena>> weights) {
  const size_t stream = *IndexOf(streams_, StreamKind::kAdversarial);
  auto batch = std::make_shared<UnitBatch>();
  batch->clean = inputs.images;
  batch->attacked = {AttackStart(inputs.images, job_.attack, {job_.seed, DataOf(unit)}, *device_),
                     inputs.labels};
  // The weights' gradients have been pushed already, by whoever had those steps.
  const auto unused = weights.empty() ? nullptr : std::make_shared<Arena>(layout_->total_size());
  Unit replay{Step(unit.step.value() - weights.size()), unit.slot};
  for (auto& version : weights) {
    const PassResult moved =
        MovingPass(lane, replay, stream, batch->attacked, std::move(version), unused, nullptr);
    batch->attacked.images =
        AttackStepFrom(batch->attacked.images, moved.image_gradient, batch->clean, job_.attack);
    replay.step = replay.step + 1;
  }
  return batch;
}

PassResult TorchCompute::MovingPass(int lane, Unit unit, size_t stream, const Inputs& inputs,
                                    std::shared_ptr<const Arena> weights,
                                    std::shared_ptr<Arena> gradients, PassProgress* progress) {
  Replica& replica = *lanes_[lane]->passes[stream];
  replica.BindWeights(std::move(weights));
  replica.SetSeed(SeedOf(unit, stream));
  return ComputeGradients(replica, inputs.images, inputs.labels, job_.training.label_smoothing,
                          std::move(gradients), GradientOf::kWeightsAndImages, progress);
}

absl::StatusOr<PassMeasures> TorchCompute::Pass(int lane, Unit unit, StreamIndex stream,
                                                std::shared_ptr<const UnitBatch> batch,
                                                std::shared_ptr<const Arena> weights,
                                                std::shared_ptr<Arena> gradients,
                                                PassProgress* progress) {
  const GradientStream& of = streams_[stream.value()];
  const std::string what = absl::StrCat(of.name, " pass");
  return Guard(what, unit, [&]() -> absl::StatusOr<PassMeasures> {
    Inputs inputs = InputsOf(of.kind, *batch);
    const bool last_replay = (unit.step.value() + 1) % job_.training.replays == 0;
    const bool replays = job_.training.replays > 1 && !last_replay;
    if (of.kind != StreamKind::kAttack && !replays) {
      Replica& replica = *lanes_[lane]->passes[stream.value()];
      replica.BindWeights(std::move(weights));
      replica.SetSeed(SeedOf(unit, stream.value()));
      const PassResult result =
          ComputeGradients(replica, inputs.images, inputs.labels, job_.training.label_smoothing,
                           std::move(gradients), GradientOf::kWeights, progress);
      return PassMeasures{result.loss, result.accuracy, 0, nullptr};
    }
    auto moved = std::make_shared<UnitBatch>();
    moved->clean = of.kind == StreamKind::kAttack ? inputs.images : batch->clean;
    if (of.kind == StreamKind::kAttack) {
      inputs.images = AttackStart(inputs.images, job_.attack, {job_.seed, unit}, *device_);
    }
    const PassResult result = MovingPass(lane, unit, stream.value(), inputs, std::move(weights),
                                         std::move(gradients), progress);
    moved->attacked = {
        AttackStepFrom(inputs.images, result.image_gradient, moved->clean, job_.attack),
        inputs.labels};
    // Another lane may take it.
    device_->Finish();
    PassMeasures measures{result.loss, result.accuracy,
                          static_cast<uint32_t>(inputs.labels.size(0)), nullptr};
    if (of.kind == StreamKind::kAttack) {
      measures.attacked = std::move(moved);
    } else {
      replays_.Put({unit.step + 1, unit.slot}, std::move(moved));
    }
    return measures;
  });
}

}  // namespace conadv
