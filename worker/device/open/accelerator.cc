// SPDX-License-Identifier: Apache-2.0
#include "worker/device/open/accelerator.h"

#include <c10/core/Stream.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <glog/logging.h>

#include <cstring>
#include <exception>
#include <functional>
#include <iterator>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "common/thread/mutex.h"
#include "worker/device/arena_tensor.h"
#include "worker/device/threads.h"

namespace conadv {
namespace {

// LibTorch's, of one kind of device. Compiled whether or not this LibTorch has that kind.
class Streams {
 public:
  explicit Streams(torch::Device where) : where_(where) {
    if (where.type() != torch::kCPU) guard_.emplace(where.type());
  }
  // Host memory for copies that do not wait.
  torch::TensorOptions Staging(torch::ScalarType type) const {
    return torch::TensorOptions(type).pinned_memory(guard_.has_value());
  }
  void TakeOne() const {
    if (!guard_.has_value()) return;
    guard_->setDevice(where_);
    guard_->exchangeStream(guard_->getStreamFromGlobalPool(where_));
  }
  void Wait() const {
    if (guard_.has_value()) guard_->getStream(where_).synchronize();
  }
  // The thread's stream uses `tensor`, which may be another's: its memory is not given away before.
  void Use(torch::Tensor tensor) const {
    if (guard_.has_value()) tensor.record_stream(guard_->getStream(where_));
  }

 private:
  const torch::Device where_;
  std::optional<c10::impl::VirtualGuardImpl> guard_;
};

// With what it was copied from: no other arena can have the address meanwhile.
class Copied final : public PlacedWeights {
 public:
  Copied(torch::Tensor values, std::shared_ptr<const Arena> from)
      : PlacedWeights(std::move(values)), from_(std::move(from)) {}

 private:
  const std::shared_ptr<const Arena> from_;
};

// By way of staging memory: arenas are ordinary memory, which a device cannot copy to by itself.
class Gathered final : public GradientBuffer {
 public:
  Gathered(std::shared_ptr<Arena> to, absl::Span<const ArenaRange> ranges, torch::Device where,
           const Streams* streams)
      : GradientBuffer(torch::empty({static_cast<int64_t>(to->size())},
                                    torch::TensorOptions(torch::kFloat32).device(where))),
        to_(std::move(to)),
        ranges_(ranges.begin(), ranges.end()),
        streams_(streams) {
    for (const ArenaRange& range : ranges_) Part(range).zero_();
  }
  ~Gathered() override {
    try {
      FinishCopy();
    } catch (const std::exception& error) {
      LOG(ERROR) << "gradients were not brought back: " << error.what();
    }
  }

  void StartCopy() override {
    torch::NoGradGuard no_grad;
    for (const ArenaRange& range : ranges_) {
      torch::Tensor staged =
          torch::empty({static_cast<int64_t>(range.size)}, streams_->Staging(torch::kFloat32));
      staged_.push_back(staged.copy_(Part(range), /*non_blocking=*/true));
    }
  }
  void FinishCopy() override {
    if (staged_.empty()) return;
    const std::vector<torch::Tensor> staged = std::exchange(staged_, {});
    streams_->Wait();
    for (size_t i = 0; i < staged.size(); ++i) {
      std::memcpy(to_->data() + ranges_[i].offset, staged[i].data_ptr<float>(),
                  ranges_[i].size * sizeof(float));
    }
  }

 private:
  torch::Tensor Part(const ArenaRange& range) const {
    return values().narrow(0, static_cast<int64_t>(range.offset), static_cast<int64_t>(range.size));
  }

  const std::shared_ptr<Arena> to_;
  const std::vector<ArenaRange> ranges_;
  const Streams* const streams_;
  std::vector<torch::Tensor> staged_;
};

class Accelerator final : public Device {
 public:
  explicit Accelerator(torch::Device where)
      : where_(where),
        streams_(where),
        white_(torch::full({}, 255.0F, torch::TensorOptions(torch::kFloat32).device(where))) {}

  torch::DeviceType type() const override { return where_.type(); }
  void PrepareThread() override {
    UseOneThreadHere();
    streams_.TakeOne();
  }

  std::shared_ptr<const PlacedWeights> PlaceWeights(std::shared_ptr<const Arena> weights) override {
    const std::shared_ptr<const Copied> placed = Version(std::move(weights));
    streams_.Use(placed->values());
    return placed;
  }

  std::unique_ptr<GradientBuffer> OpenGradients(std::shared_ptr<Arena> gradients,
                                                absl::Span<const ArenaRange> ranges) override {
    return std::make_unique<Gathered>(std::move(gradients), ranges, where_, &streams_);
  }

  HostBatch NewBatch(torch::IntArrayRef shape) override {
    return {torch::empty(shape, streams_.Staging(torch::kUInt8)),
            torch::empty({shape[0]}, streams_.Staging(torch::kInt64))};
  }
  Inputs PlaceInputs(const HostBatch& batch) override {
    const torch::Tensor bytes = Copy(batch.images, /*non_blocking=*/true);
    // By a tensor: a division by a number is done as a product, whose last bit is not the CPU's.
    return {bytes.to(torch::kFloat32).div_(white_), Copy(batch.labels, true)};
  }
  torch::Tensor Place(const torch::Tensor& host) override { return Copy(host, false); }
  torch::Tensor PlaceConstant(const torch::Tensor& host) override { return Copy(host, false); }

  void Finish() override { streams_.Wait(); }

  torch::Tensor WithSeed(uint64_t seed, const std::function<torch::Tensor()>& run) override {
    // A device has one generator for all its streams; what is drawn is settled as it is queued.
    MutexLock lock(&generator_);
    torch::manual_seed(seed);
    return run();
  }

 private:
  torch::Tensor Copy(const torch::Tensor& host, bool non_blocking) const {
    return host.to(where_, host.scalar_type(), non_blocking, /*copy=*/true);
  }

  std::shared_ptr<const Copied> Version(std::shared_ptr<const Arena> weights) {
    MutexLock lock(&mutex_);
    for (auto known = placed_.begin(); known != placed_.end();) {
      known = known->second.expired() ? placed_.erase(known) : std::next(known);
    }
    std::weak_ptr<const Copied>& known = placed_[weights.get()];
    if (auto placed = known.lock()) return placed;
    // It waits for the copy: whichever lane asks next may use it.
    torch::Tensor values = Copy(AsTensor(weights), /*non_blocking=*/false);
    auto placed = std::make_shared<const Copied>(std::move(values), std::move(weights));
    known = placed;
    return placed;
  }

  const torch::Device where_;
  const Streams streams_;
  const torch::Tensor white_;
  Mutex generator_;
  Mutex mutex_;
  std::map<const Arena*, std::weak_ptr<const Copied>> placed_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace

std::shared_ptr<Device> MakeAccelerator(torch::Device where) {
  UseOneBlasThread();
  return std::make_shared<Accelerator>(where);
}

}  // namespace conadv
