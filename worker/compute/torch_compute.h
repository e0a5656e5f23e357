// SPDX-License-Identifier: Apache-2.0
// A unit's examples, augmented as the job says, and passes with LibTorch: each lane has replicas of
// its own. Lanes at once, one call at a time in each. LibTorch's exceptions end here.
#ifndef CONADV_WORKER_COMPUTE_TORCH_COMPUTE_H_
#define CONADV_WORKER_COMPUTE_TORCH_COMPUTE_H_

#include <memory>
#include <optional>
#include <vector>

#include "common/job/job.h"
#include "common/job/streams.h"
#include "common/tensor/layout.h"
#include "worker/compute/gradients.h"
#include "worker/compute/replay_cache.h"
#include "worker/compute/unit_compute.h"
#include "worker/data/augment/augmenter.h"
#include "worker/data/dataset.h"
#include "worker/device/device.h"
#include "worker/model/network.h"

namespace conadv {

class Replica;

class TorchCompute final : public UnitCompute {
 public:
  // Makes the replicas of `lanes` lanes: not while another thread uses the factory.
  TorchCompute(const Job& job, std::shared_ptr<const Dataset> dataset,
               std::shared_ptr<const Layout> layout, const NetworkFactory& factory,
               std::shared_ptr<Device> device, int lanes);
  ~TorchCompute() override;

  absl::StatusOr<std::shared_ptr<const UnitBatch>> Load(Unit unit) override;
  absl::StatusOr<std::shared_ptr<const UnitBatch>> Attack(
      int lane, Unit unit, std::shared_ptr<const UnitBatch> loaded,
      std::vector<std::shared_ptr<const Arena>> weights) override;
  absl::StatusOr<std::optional<float>> AttackCosine(int lane, Unit unit, const UnitBatch& attacked,
                                                    std::shared_ptr<const Arena> weights) override;
  absl::StatusOr<PassMeasures> Pass(int lane, Unit unit, StreamIndex stream,
                                    std::shared_ptr<const UnitBatch> batch,
                                    std::shared_ptr<const Arena> weights,
                                    std::shared_ptr<Arena> gradients,
                                    PassProgress* progress) override;
  bool HasReplay(Unit unit) override { return replays_.Find(unit) != nullptr; }
  void Forget() override { replays_.Clear(); }

 private:
  struct Lane;
  // Whose examples and random numbers a unit has: FREE's are its batch's first unit's.
  Unit DataOf(Unit unit) const;
  void Augment(Unit unit, UnitBatch* batch) const;
  // What the stream's pass takes of the batch.
  Inputs InputsOf(StreamKind kind, const UnitBatch& batch) const;
  // Of what a model draws in a pass: the streams', and after them the attack's.
  uint64_t SeedOf(Unit unit, size_t pass) const;
  // The pass of a stream whose images move with it.
  PassResult MovingPass(int lane, Unit unit, size_t stream, const Inputs& inputs,
                        std::shared_ptr<const Arena> weights, std::shared_ptr<Arena> gradients,
                        PassProgress* progress);
  std::shared_ptr<const UnitBatch> MakeAttacked(int lane, Unit unit, const Inputs& inputs,
                                                std::shared_ptr<const Arena> weights);
  // FREE: the unit's images, from those that its batch began with, by passes of the steps before.
  std::shared_ptr<const UnitBatch> Replay(int lane, Unit unit, const Inputs& inputs,
                                          std::vector<std::shared_ptr<const Arena>> weights);

  const Job job_;
  const GradientStreams streams_;
  const std::shared_ptr<const Dataset> dataset_;
  const std::shared_ptr<const Layout> layout_;
  const augment::Augmenter augmenter_;
  const bool apart_;  // the augmented stream's images are not the others'
  const std::shared_ptr<Device> device_;
  std::vector<std::unique_ptr<Lane>> lanes_;
  ReplayCache replays_;
};

}  // namespace conadv

#endif  // CONADV_WORKER_COMPUTE_TORCH_COMPUTE_H_
