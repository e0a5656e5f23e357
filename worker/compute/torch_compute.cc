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

struct AdversarialBatch {
  torch::Tensor images;
  torch::Tensor labels;
};

struct TorchCompute::Lane {
  std::vector<std::unique_ptr<Replica>> passes;  // by stream
  std::unique_ptr<Replica> attack;               // nullptr if none attacks
};

namespace {

// Runs a pass; what LibTorch throws becomes an error, and every error names the unit.
template <class Run>
auto Guard(const std::string& pass, Unit unit, const Run& run) -> decltype(run()) {
  absl::Status failure;
  try {
    auto result = run();
    if (result.ok()) return result;
    failure = result.status();
  } catch (const std::exception& error) {
    failure = absl::InternalError(error.what());
  }
  return absl::Status(failure.code(), absl::StrCat("the ", pass, " pass of ", unit.ToString(), ": ",
                                                   failure.message()));
}

}  // namespace

TorchCompute::TorchCompute(const Job& job, std::shared_ptr<const Dataset> dataset,
                           std::shared_ptr<const Layout> layout, const NetworkFactory& factory,
                           std::shared_ptr<Device> device, int lanes)
    : job_(job),
      streams_(StreamsOf(job.training)),
      dataset_(std::move(dataset)),
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

absl::StatusOr<Inputs> TorchCompute::Load(Unit unit) const {
  const TrainingOptions& training = job_.training;
  return LoadInputs(
      *dataset_,
      UnitExamples(job_.seed, dataset_->examples(), training.slots, training.slot_size(), unit),
      *device_);
}

uint64_t TorchCompute::SeedOf(Unit unit, size_t pass) const {
  const uint64_t slot = unit.slot.value();
  return Random(job_.seed, Purpose::kModel, unit.step.value(),
                static_cast<uint32_t>(slot * (kMostStreams + 1) + pass))
      .Next64();
}

absl::StatusOr<std::shared_ptr<const AdversarialBatch>> TorchCompute::Attack(
    int lane, Unit unit, std::shared_ptr<const Arena> weights) {
  using Result = absl::StatusOr<std::shared_ptr<const AdversarialBatch>>;
  return Guard("attack", unit, [&]() -> Result {
    CONADV_ASSIGN_OR_RETURN(const Inputs inputs, Load(unit));
    Replica& replica = *lanes_[lane]->attack;
    replica.BindWeights(std::move(weights));
    replica.SetSeed(SeedOf(unit, kMostStreams));
    auto batch = std::make_shared<AdversarialBatch>(AdversarialBatch{
        MakeAdversarial(replica, inputs.images, inputs.labels, dataset_->classes(), job_.attack,
                        job_.training.label_smoothing, {job_.seed, unit}),
        inputs.labels});
    // Another lane may take it.
    device_->Finish();
    return batch;
  });
}

absl::StatusOr<PassMeasures> TorchCompute::Pass(int lane, Unit unit, StreamIndex stream,
                                                std::shared_ptr<const AdversarialBatch> attacked,
                                                std::shared_ptr<const Arena> weights,
                                                std::shared_ptr<Arena> gradients) {
  return Guard(streams_[stream.value()].name, unit, [&]() -> absl::StatusOr<PassMeasures> {
    Inputs inputs;
    if (attacked != nullptr) {
      inputs = {attacked->images, attacked->labels};
    } else {
      CONADV_ASSIGN_OR_RETURN(inputs, Load(unit));
    }
    Replica& replica = *lanes_[lane]->passes[stream.value()];
    replica.BindWeights(std::move(weights));
    replica.SetSeed(SeedOf(unit, stream.value()));
    const PassResult result = ComputeGradients(replica, inputs.images, inputs.labels,
                                               job_.training.label_smoothing, std::move(gradients));
    return PassMeasures{result.loss, result.accuracy};
  });
}

}  // namespace conadv
