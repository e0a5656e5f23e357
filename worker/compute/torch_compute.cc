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
#include "worker/compute/gradients.h"
#include "worker/data/permutation.h"
#include "worker/device/inputs.h"
#include "worker/model/replica.h"

namespace conadv {

struct UnitBatch {
  HostBatch loaded;
  Inputs attacked;  // on the device, as the attack left them; or nothing
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
      augmenter_(job.dataset.augmentation, job.seed),
      device_(std::move(device)) {
  const auto make = [&](conadv::Pass pass, Precision precision) {
    return std::make_unique<Replica>(factory(), layout, pass, device_.get(), precision);
  };
  for (int i = 0; i < lanes; ++i) {
    auto lane = std::make_unique<Lane>();
    for (const GradientStream& stream : streams_) {
      const conadv::Pass pass =
          stream.branch == Branch::kAuxiliary ? conadv::Pass::kAdversarial : conadv::Pass::kClean;
      lane->passes.push_back(make(pass, job.training.precision));
    }
    if (job.training.attacks()) {
      lane->attack = make(conadv::Pass::kAttack, job.attack.precision);
    }
    lanes_.push_back(std::move(lane));
  }
}

TorchCompute::~TorchCompute() = default;

absl::StatusOr<std::shared_ptr<const UnitBatch>> TorchCompute::Load(Unit unit) {
  using Result = absl::StatusOr<std::shared_ptr<const UnitBatch>>;
  return Guard("examples", unit, [&]() -> Result {
    const TrainingOptions& training = job_.training;
    auto batch = std::make_shared<UnitBatch>();
    CONADV_ASSIGN_OR_RETURN(
        batch->loaded, LoadExamples(*dataset_,
                                    UnitExamples(job_.seed, dataset_->examples(), training.slots,
                                                 training.slot_size(), unit),
                                    *device_));
    Augment(unit, batch->loaded);
    return batch;
  });
}

void TorchCompute::Augment(Unit unit, const HostBatch& batch) const {
  if (augmenter_.empty()) return;
  const ImageSize size = dataset_->image_size();
  std::vector<uint8_t> scratch;
  uint8_t* image = batch.image_bytes().data();
  for (uint32_t example = 0; example < batch.labels.size(0); ++example, image += size.bytes()) {
    augmenter_.Apply(unit, example, {size.channels, size.height, size.width, image}, &scratch);
  }
}

Inputs TorchCompute::Placed(const UnitBatch& batch) const {
  return batch.attacked.images.defined() ? batch.attacked : device_->PlaceInputs(batch.loaded);
}

uint64_t TorchCompute::SeedOf(Unit unit, size_t pass) const {
  const uint64_t slot = unit.slot.value();
  return Random(job_.seed, Purpose::kModel, unit.step.value(),
                static_cast<uint32_t>(slot * (kMostStreams + 1) + pass))
      .Next64();
}

absl::StatusOr<std::shared_ptr<const UnitBatch>> TorchCompute::Attack(
    int lane, Unit unit, std::shared_ptr<const UnitBatch> loaded,
    std::shared_ptr<const Arena> weights) {
  using Result = absl::StatusOr<std::shared_ptr<const UnitBatch>>;
  return Guard("attack", unit, [&]() -> Result {
    const Inputs inputs = Placed(*loaded);
    Replica& replica = *lanes_[lane]->attack;
    replica.BindWeights(std::move(weights));
    replica.SetSeed(SeedOf(unit, kMostStreams));
    auto batch = std::make_shared<UnitBatch>();
    batch->attacked = {
        MakeAdversarial(replica, inputs.images, inputs.labels, dataset_->classes(), job_.attack,
                        job_.training.label_smoothing, {job_.seed, unit}),
        inputs.labels};
    // Another lane may take it.
    device_->Finish();
    return batch;
  });
}

absl::StatusOr<PassMeasures> TorchCompute::Pass(int lane, Unit unit, StreamIndex stream,
                                                std::shared_ptr<const UnitBatch> batch,
                                                std::shared_ptr<const Arena> weights,
                                                std::shared_ptr<Arena> gradients) {
  const std::string what = absl::StrCat(streams_[stream.value()].name, " pass");
  return Guard(what, unit, [&]() -> absl::StatusOr<PassMeasures> {
    const Inputs inputs = Placed(*batch);
    Replica& replica = *lanes_[lane]->passes[stream.value()];
    replica.BindWeights(std::move(weights));
    replica.SetSeed(SeedOf(unit, stream.value()));
    const PassResult result = ComputeGradients(replica, inputs.images, inputs.labels,
                                               job_.training.label_smoothing, std::move(gradients));
    return PassMeasures{result.loss, result.accuracy};
  });
}

}  // namespace conadv
