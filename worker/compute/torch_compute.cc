// SPDX-License-Identifier: Apache-2.0
#include "worker/compute/torch_compute.h"

#include <ATen/Parallel.h>
#include <torch/torch.h>

#include <exception>
#include <utility>

#include "absl/strings/str_cat.h"
#include "worker/attack/attack.h"
#include "worker/compute/gradients.h"
#include "worker/data/permutation.h"
#include "worker/model/replica.h"

namespace conadv {

struct AdversarialBatch {
  torch::Tensor images;
  torch::Tensor labels;
};

struct TorchCompute::Batch {
  torch::Tensor images;
  torch::Tensor labels;
};

struct TorchCompute::Lane {
  std::unique_ptr<Replica> clean;
  std::unique_ptr<Replica> adversarial;
  std::unique_ptr<Replica> attack;
};

namespace {

// Runs a pass; what LibTorch throws becomes an error that names the unit.
template <class Pass>
auto Guard(const char* pass, Unit unit, const Pass& run) -> absl::StatusOr<decltype(run())> {
  try {
    return run();
  } catch (const std::exception& error) {
    return absl::InternalError(
        absl::StrCat("the ", pass, " pass of ", unit.ToString(), ": ", error.what()));
  }
}

}  // namespace

TorchCompute::TorchCompute(const Job& job, std::shared_ptr<const Dataset> dataset,
                           std::shared_ptr<const Layout> layout, const NetworkFactory& factory,
                           int lanes)
    : job_(job), dataset_(std::move(dataset)) {
  for (int i = 0; i < lanes; ++i) {
    auto lane = std::make_unique<Lane>();
    lane->clean = std::make_unique<Replica>(factory(), layout, Pass::kClean);
    if (job.training.attacks()) {
      lane->adversarial = std::make_unique<Replica>(factory(), layout, Pass::kAdversarial);
      lane->attack = std::make_unique<Replica>(factory(), layout, Pass::kAttack);
    }
    lanes_.push_back(std::move(lane));
  }
}

TorchCompute::~TorchCompute() = default;

void TorchCompute::PrepareThread() { at::set_num_threads(1); }

TorchCompute::Batch TorchCompute::Load(Unit unit) const {
  const uint32_t slot_size = job_.training.slot_size();
  const std::vector<uint64_t> examples =
      UnitExamples(job_.seed, dataset_->examples(), job_.training.slots, slot_size, unit);
  Batch batch;
  batch.images = torch::empty({slot_size, dataset_->channels, dataset_->height, dataset_->width});
  batch.labels = torch::empty({slot_size}, torch::kInt64);
  CopyExamples(*dataset_, examples, batch.images.data_ptr<float>(),
               batch.labels.data_ptr<int64_t>());
  return batch;
}

absl::StatusOr<std::shared_ptr<const AdversarialBatch>> TorchCompute::Attack(
    int lane, Unit unit, std::shared_ptr<const Arena> weights) {
  return Guard("attack", unit, [&]() -> std::shared_ptr<const AdversarialBatch> {
    const Batch batch = Load(unit);
    Replica& replica = *lanes_[lane]->attack;
    replica.BindWeights(std::move(weights));
    return std::make_shared<AdversarialBatch>(AdversarialBatch{
        MakeAdversarial(replica, batch.images, batch.labels, dataset_->classes, job_.attack,
                        job_.training.label_smoothing, {job_.seed, unit}),
        batch.labels});
  });
}

absl::StatusOr<PassMeasures> TorchCompute::Clean(int lane, Unit unit,
                                                 std::shared_ptr<const Arena> weights,
                                                 std::shared_ptr<Arena> gradients) {
  return Guard("clean", unit, [&] {
    const Batch batch = Load(unit);
    Replica& replica = *lanes_[lane]->clean;
    replica.BindWeights(std::move(weights));
    const PassResult result = ComputeGradients(replica, batch.images, batch.labels,
                                               job_.training.label_smoothing, std::move(gradients));
    return PassMeasures{result.loss, result.accuracy};
  });
}

absl::StatusOr<PassMeasures> TorchCompute::Adversarial(
    int lane, Unit unit, std::shared_ptr<const AdversarialBatch> batch,
    std::shared_ptr<const Arena> weights, std::shared_ptr<Arena> gradients) {
  return Guard("adversarial", unit, [&] {
    Replica& replica = *lanes_[lane]->adversarial;
    replica.BindWeights(std::move(weights));
    const PassResult result = ComputeGradients(replica, batch->images, batch->labels,
                                               job_.training.label_smoothing, std::move(gradients));
    return PassMeasures{result.loss, result.accuracy};
  });
}

}  // namespace conadv
