// SPDX-License-Identifier: Apache-2.0
#include "worker/device/cpu_device.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <functional>
#include <utility>

#include "common/thread/mutex.h"
#include "worker/device/arena_tensor.h"
#include "worker/device/threads.h"

// What jemalloc reads as the program starts. A pass takes and gives back the same megabytes each
// time: given back to the system, each would come again as thousands of page faults, which took a
// fifth of a ResNet's time. The process keeps what its largest pass took.
extern "C" {
extern const char* malloc_conf;
const char* malloc_conf = "oversize_threshold:0,dirty_decay_ms:-1,thp:always";
}

namespace conadv {
namespace {

// value / 255 for every byte: one division for each, made once.
std::array<float, 256> MakeUnitInterval() {
  std::array<float, 256> table{};
  for (size_t value = 0; value < table.size(); ++value) {
    table[value] = static_cast<float>(value) / 255.0F;
  }
  return table;
}

// Backward writes into the push arena itself, so there is nothing to copy.
class GradientsInPlace final : public GradientBuffer {
 public:
  explicit GradientsInPlace(torch::Tensor values) : GradientBuffer(std::move(values)) {}
  bool in_place() const override { return true; }
  void StartCopy() override {}
  void FinishCopy() override {}
};

class CpuDevice final : public Device {
 public:
  torch::DeviceType type() const override { return torch::kCPU; }
  void PrepareThread() override { UseOneThreadHere(); }

  std::shared_ptr<const PlacedWeights> PlaceWeights(std::shared_ptr<const Arena> weights) override {
    return std::make_shared<PlacedWeights>(AsTensor(std::move(weights)));
  }

  std::unique_ptr<GradientBuffer> OpenGradients(std::shared_ptr<Arena> gradients,
                                                absl::Span<const ArenaRange> ranges) override {
    float* data = gradients->data();
    for (const ArenaRange& range : ranges) {
      std::memset(data + range.offset, 0, range.size * sizeof(float));
    }
    return std::make_unique<GradientsInPlace>(AsTensor(std::move(gradients)));
  }

  HostBatch NewBatch(torch::IntArrayRef shape) override {
    return {torch::empty(shape, torch::kUInt8), torch::empty({shape[0]}, torch::kInt64)};
  }

  Inputs PlaceInputs(const HostBatch& batch) override {
    static const std::array<float, 256> unit_interval = MakeUnitInterval();
    const torch::Tensor images = torch::empty(batch.images.sizes(), torch::kFloat32);
    const absl::Span<const uint8_t> bytes = batch.image_bytes();
    std::transform(bytes.begin(), bytes.end(), images.data_ptr<float>(),
                   [](uint8_t value) { return unit_interval[value]; });
    return {images, batch.labels};
  }

  torch::Tensor Place(const torch::Tensor& host) override { return host; }
  torch::Tensor PlaceConstant(const torch::Tensor& host) override { return host; }

  void Finish() override {}

  torch::Tensor WithSeed(uint64_t seed, const std::function<torch::Tensor()>& run) override {
    // The process has one, and one pass takes any number of numbers from it.
    MutexLock lock(&generator_);
    torch::manual_seed(seed);
    return run();
  }

 private:
  Mutex generator_;
};

}  // namespace

std::shared_ptr<Device> MakeCpuDevice() {
  UseOneBlasThread();
  return std::make_shared<CpuDevice>();
}

}  // namespace conadv
