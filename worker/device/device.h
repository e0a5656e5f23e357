// SPDX-License-Identifier: Apache-2.0
// Where passes are computed. The rest of the worker keeps weights, examples and gradients in host
// memory and says which of them a pass needs; only a kind of device knows where its tensors lie.
// Lanes call at once, each on its thread; what LibTorch throws comes through.
#ifndef CONADV_WORKER_DEVICE_DEVICE_H_
#define CONADV_WORKER_DEVICE_DEVICE_H_

#include <torch/torch.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <utility>

#include "absl/types/span.h"
#include "common/tensor/arena.h"

namespace conadv {

// A version's weights on the device, for as long as this lives. Immutable, thread-safe.
class PlacedWeights {
 public:
  // Shape: [layout.total_size()], float32. Nobody writes to them.
  explicit PlacedWeights(torch::Tensor values) : values_(std::move(values)) {}
  virtual ~PlacedWeights() = default;
  PlacedWeights(const PlacedWeights&) = delete;
  PlacedWeights& operator=(const PlacedWeights&) = delete;

  const torch::Tensor& values() const { return values_; }

 private:
  const torch::Tensor values_;
};

// Elements of an arena.
struct ArenaRange {
  size_t offset = 0;
  size_t size = 0;
};

// Where a pass's gradients gather on the device, and their way from there into a push arena, which
// it keeps alive. One thread at a time.
class GradientBuffer {
 public:
  explicit GradientBuffer(torch::Tensor values) : values_(std::move(values)) {}
  // Waits for a copy that is under way.
  virtual ~GradientBuffer() = default;
  GradientBuffer(const GradientBuffer&) = delete;
  GradientBuffer& operator=(const GradientBuffer&) = delete;

  // Shape: as the arena, float32. Nothing but the ranges may be used of it.
  const torch::Tensor& values() const { return values_; }
  // Whether values() is the arena itself: what is computed is there at once.
  virtual bool in_place() const { return false; }
  // Begins to bring the ranges into the arena. What was given to the device before is in them; it
  // may compute something else meanwhile.
  virtual void StartCopy() = 0;
  // Returns when the arena has them. REQUIRES: StartCopy().
  virtual void FinishCopy() = 0;

 private:
  const torch::Tensor values_;
};

// A batch on its way to the device, for a loader to fill.
struct HostBatch {
  torch::Tensor images;  // [n, channels, height, width], uint8, on the host; 255 is 1.0
  torch::Tensor labels;  // [n], int64, on the host

  absl::Span<uint8_t> image_bytes() const {
    return {images.data_ptr<uint8_t>(), static_cast<size_t>(images.numel())};
  }
  absl::Span<int64_t> label_values() const {
    return {labels.data_ptr<int64_t>(), static_cast<size_t>(labels.numel())};
  }
};

// What a pass takes.
struct Inputs {
  torch::Tensor images;  // [n, channels, height, width], float32 in [0, 1], on the device
  torch::Tensor labels;  // [n], int64, on the device
};

class Device {
 public:
  virtual ~Device() = default;

  // What LibTorch calls its kind.
  virtual torch::DeviceType type() const = 0;

  // What a thread calls before it computes.
  virtual void PrepareThread() = 0;

  // `weights` are all shards' arenas, one after the other, as PlacedWeights has them. A kind with
  // memory of its own copies a version once, however many lanes ask for it while one has it; it is
  // there when this returns.
  virtual std::shared_ptr<const PlacedWeights> PlaceWeights(
      std::shared_ptr<const Arena> weights) = 0;
  // Zeros in the ranges, of `gradients` or of what becomes it; the rest of `gradients` is left
  // alone. REQUIRES: the ranges lie in the arena and do not overlap.
  virtual std::unique_ptr<GradientBuffer> OpenGradients(std::shared_ptr<Arena> gradients,
                                                        absl::Span<const ArenaRange> ranges) = 0;

  // Not initialised; in such memory as the device takes inputs from best. Shape: [n, channels,
  // height, width].
  virtual HostBatch NewBatch(torch::IntArrayRef shape) = 0;
  // The batch must not be written any more: it may be under way, or be used as it is. Each pass
  // that takes it may ask anew.
  virtual Inputs PlaceInputs(const HostBatch& batch) = 0;
  // A tensor of the host's on the device. It must not be used any more.
  virtual torch::Tensor Place(const torch::Tensor& host) = 0;
  // The same of one that stays as it is, here and there.
  virtual torch::Tensor PlaceConstant(const torch::Tensor& host) = 0;

  // Returns when what this thread gave to the device is done: other threads may use its results.
  virtual void Finish() = 0;

  // Runs what draws from the device's generator, with the numbers of `seed`. Nobody else draws
  // meanwhile: lanes that share a generator wait for each other.
  virtual torch::Tensor WithSeed(uint64_t seed, const std::function<torch::Tensor()>& run) = 0;
};

}  // namespace conadv

#endif  // CONADV_WORKER_DEVICE_DEVICE_H_
