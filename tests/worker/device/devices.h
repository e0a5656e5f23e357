// SPDX-License-Identifier: Apache-2.0
// The kinds of device that the contract's tests run on.
#ifndef CONADV_TESTS_WORKER_DEVICE_DEVICES_H_
#define CONADV_TESTS_WORKER_DEVICE_DEVICES_H_

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "tests/worker/device/copying_device.h"
#include "worker/device/open/accelerator.h"
#include "worker/device/open/open_device.h"

namespace conadv {

// "cpu"; "copying": the CPU behind copies that hide nothing; "accelerator": a GPU's code on the
// CPU's memory; "cuda": a GPU, if there is one.
inline absl::StatusOr<std::shared_ptr<Device>> OpenTestDevice(const std::string& name) {
  if (name == "copying") return std::make_shared<CopyingDevice>();
  if (name == "accelerator") return MakeAccelerator(torch::kCPU);
  return OpenDevice(name);
}

}  // namespace conadv

#endif  // CONADV_TESTS_WORKER_DEVICE_DEVICES_H_
