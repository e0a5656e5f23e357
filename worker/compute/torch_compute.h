// SPDX-License-Identifier: Apache-2.0
// A unit's examples, augmented as the job says, and passes with LibTorch: each lane has replicas of
// its own. Lanes at once, one call at a time in each. LibTorch's exceptions end here.
#ifndef CONADV_WORKER_COMPUTE_TORCH_COMPUTE_H_
#define CONADV_WORKER_COMPUTE_TORCH_COMPUTE_H_

#include <memory>
#include <vector>

#include "common/job/job.h"
#include "common/job/streams.h"
#include "common/tensor/layout.h"
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
      std::shared_ptr<const Arena> weights) override;
  absl::StatusOr<PassMeasures> Pass(int lane, Unit unit, StreamIndex stream,
                                    std::shared_ptr<const UnitBatch> batch,
                                    std::shared_ptr<const Arena> weights,
                                    std::shared_ptr<Arena> gradients) override;

 private:
  struct Lane;
  Inputs Placed(const UnitBatch& batch) const;
  void Augment(Unit unit, const HostBatch& batch) const;
  // Of what a model draws in a pass: the streams', and after them the attack's.
  uint64_t SeedOf(Unit unit, size_t pass) const;

  const Job job_;
  const GradientStreams streams_;
  const std::shared_ptr<const Dataset> dataset_;
  const augment::Augmenter augmenter_;
  const std::shared_ptr<Device> device_;
  std::vector<std::unique_ptr<Lane>> lanes_;
};

}  // namespace conadv

#endif  // CONADV_WORKER_COMPUTE_TORCH_COMPUTE_H_
