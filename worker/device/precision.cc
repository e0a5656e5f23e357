// SPDX-License-Identifier: Apache-2.0
#include "worker/device/precision.h"

#include <ATen/autocast_mode.h>
#include <torch/version.h>

namespace conadv {
namespace {

// LibTorch has one function for every type of device from 2.4 on.
#if TORCH_VERSION_MAJOR > 2 || (TORCH_VERSION_MAJOR == 2 && TORCH_VERSION_MINOR >= 4)
bool Enabled(torch::DeviceType device) { return at::autocast::is_autocast_enabled(device); }
void SetEnabled(torch::DeviceType device, bool enabled) {
  at::autocast::set_autocast_enabled(device, enabled);
}
void SetType(torch::DeviceType device, torch::ScalarType type) {
  at::autocast::set_autocast_dtype(device, type);
}
#else
bool Enabled(torch::DeviceType device) {
  return device == torch::kCUDA ? at::autocast::is_enabled() : at::autocast::is_cpu_enabled();
}
void SetEnabled(torch::DeviceType device, bool enabled) {
  device == torch::kCUDA ? at::autocast::set_enabled(enabled)
                         : at::autocast::set_cpu_enabled(enabled);
}
void SetType(torch::DeviceType device, torch::ScalarType type) {
  device == torch::kCUDA ? at::autocast::set_autocast_gpu_dtype(type)
                         : at::autocast::set_autocast_cpu_dtype(type);
}
#endif

class Autocast {
 public:
  explicit Autocast(torch::DeviceType device)
      : device_(device),
        was_enabled_(Enabled(device)),
        kept_casts_(at::autocast::is_autocast_cache_enabled()) {
    SetType(device, torch::kBFloat16);
    SetEnabled(device, true);
    // It knows a weight by its tensor, which is pointed at another version's values.
    at::autocast::set_autocast_cache_enabled(false);
  }
  ~Autocast() {
    SetEnabled(device_, was_enabled_);
    at::autocast::set_autocast_cache_enabled(kept_casts_);
  }
  Autocast(const Autocast&) = delete;
  Autocast& operator=(const Autocast&) = delete;

 private:
  const torch::DeviceType device_;
  const bool was_enabled_;
  const bool kept_casts_;
};

}  // namespace

torch::Tensor InPrecision(Precision precision, torch::DeviceType device,
                          const std::function<torch::Tensor()>& run) {
  if (precision == Precision::kFp32) return run();
  torch::Tensor result;
  {
    const Autocast autocast(device);
    result = run();
  }
  return result.to(torch::kFloat32);
}

}  // namespace conadv
