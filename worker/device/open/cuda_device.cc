// SPDX-License-Identifier: Apache-2.0
#include "worker/device/open/cuda_device.h"

#include <ATen/Context.h>
#include <c10/core/impl/DeviceGuardImplInterface.h>

#include <cstdint>
#include <cstdlib>
#include <exception>
#include <string>

#include "absl/strings/str_cat.h"
#include "worker/device/open/accelerator.h"

namespace conadv {
namespace {

void ComputeWithEqualBits() {
  // cuBLAS keeps its sums in one order if its work space is of one size; it reads this once.
  setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8", /*overwrite=*/0);
  at::Context& context = at::globalContext();
  context.setDeterministicCuDNN(true);
  context.setBenchmarkCuDNN(false);
  context.setAllowTF32CuDNN(false);
  context.setAllowTF32CuBLAS(false);
  // An operation that has no such way is named in a warning of LibTorch's.
  context.setDeterministicAlgorithms(true, /*warn_only=*/true);
}

}  // namespace

absl::StatusOr<std::shared_ptr<Device>> MakeCudaDevice(int index) {
  if (!c10::impl::hasDeviceGuardImpl(torch::kCUDA)) {
    return absl::NotFoundError(
        "this LibTorch has no CUDA; build conadv with one that has "
        "(cmake --preset release -DCMAKE_PREFIX_PATH=/path/to/libtorch), or take --device=cpu");
  }
  const auto count = static_cast<int>(torch::cuda::device_count());
  if (count == 0) {
    return absl::NotFoundError(
        "LibTorch has CUDA, but finds no GPU; see whether nvidia-smi shows one, and whether its "
        "driver is as new as LibTorch's CUDA");
  }
  if (index >= count) {
    return absl::NotFoundError(
        absl::StrCat("there is no GPU ", index, " here; --device=cuda:N takes 0 to ", count - 1));
  }
  ComputeWithEqualBits();
  try {
    return MakeAccelerator(torch::Device(torch::kCUDA, static_cast<torch::DeviceIndex>(index)));
  } catch (const std::exception& error) {
    return absl::NotFoundError(absl::StrCat("GPU ", index, " cannot be used: ", error.what()));
  }
}

}  // namespace conadv
