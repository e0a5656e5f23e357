// SPDX-License-Identifier: Apache-2.0
// A device as one with memory of its own is: everything is copied there and back, gradients arrive
// no sooner than they are waited for, and host memory that was given away is written over. It
// computes on the CPU, so its bits must be the CPU's. Thread-safe.
#ifndef CONADV_TESTS_WORKER_DEVICE_COPYING_DEVICE_H_
#define CONADV_TESTS_WORKER_DEVICE_COPYING_DEVICE_H_

#include <torch/torch.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "common/thread/mutex.h"
#include "worker/device/device.h"

namespace conadv {

class CopyingDevice final : public Device {
 public:
  torch::DeviceType type() const override { return torch::kCPU; }
  void PrepareThread() override {}

  std::shared_ptr<const PlacedWeights> PlaceWeights(std::shared_ptr<const Arena> weights) override {
    MutexLock lock(&mutex_);
    std::weak_ptr<const Copied>& known = placed_[weights.get()];
    if (auto placed = known.lock()) return placed;
    auto placed = std::make_shared<const Copied>(std::move(weights));
    known = placed;
    ++copied_versions_;
    return placed;
  }

  std::unique_ptr<GradientBuffer> OpenGradients(std::shared_ptr<Arena> gradients,
                                                absl::Span<const ArenaRange> ranges) override {
    return std::make_unique<Gathered>(std::move(gradients), ranges);
  }

  HostBatch NewBatch(torch::IntArrayRef shape) override {
    return {torch::empty(shape, torch::kUInt8), torch::empty({shape[0]}, torch::kInt64)};
  }
  Inputs PlaceInputs(const HostBatch& batch) override {
    return {batch.images.to(torch::kFloat32).div(255), batch.labels.clone()};
  }
  torch::Tensor WithSeed(uint64_t seed, const std::function<torch::Tensor()>& run) override {
    torch::manual_seed(seed);
    return run();
  }
  torch::Tensor Place(const torch::Tensor& host) override {
    torch::Tensor placed = host.clone();
    torch::Tensor(host).fill_(90);
    return placed;
  }

  torch::Tensor PlaceConstant(const torch::Tensor& host) override { return host.clone(); }

  void Finish() override {}

  int copied_versions() const {
    MutexLock lock(&mutex_);
    return copied_versions_;
  }

 private:
  static torch::Tensor CopyOf(const Arena& arena) {
    return torch::from_blob(const_cast<float*>(arena.data()), {static_cast<int64_t>(arena.size())})
        .clone();
  }

  // With what it was copied from: no other arena can have the address meanwhile.
  class Copied final : public PlacedWeights {
   public:
    explicit Copied(std::shared_ptr<const Arena> from)
        : PlacedWeights(CopyOf(*from)), from_(std::move(from)) {}

   private:
    const std::shared_ptr<const Arena> from_;
  };

  class Gathered final : public GradientBuffer {
   public:
    Gathered(std::shared_ptr<Arena> to, absl::Span<const ArenaRange> ranges)
        : GradientBuffer(torch::full({static_cast<int64_t>(to->size())},
                                     std::numeric_limits<float>::quiet_NaN())),
          to_(std::move(to)),
          ranges_(ranges.begin(), ranges.end()) {
      for (const ArenaRange& range : ranges_) Part(values(), range).zero_();
    }
    ~Gathered() override { FinishCopy(); }

    void StartCopy() override { sent_ = values().clone(); }
    void FinishCopy() override {
      if (!sent_.defined()) return;
      for (const ArenaRange& range : ranges_) {
        const float* from = sent_.data_ptr<float>() + range.offset;
        std::copy(from, from + range.size, to_->data() + range.offset);
      }
      sent_.reset();
    }

   private:
    static torch::Tensor Part(const torch::Tensor& of, const ArenaRange& range) {
      return of.narrow(0, static_cast<int64_t>(range.offset), static_cast<int64_t>(range.size));
    }

    const std::shared_ptr<Arena> to_;
    const std::vector<ArenaRange> ranges_;
    torch::Tensor sent_;
  };

  mutable Mutex mutex_;
  std::map<const Arena*, std::weak_ptr<const Copied>> placed_ ABSL_GUARDED_BY(mutex_);
  int copied_versions_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace conadv

#endif  // CONADV_TESTS_WORKER_DEVICE_COPYING_DEVICE_H_
