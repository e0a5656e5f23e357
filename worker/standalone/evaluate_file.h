// SPDX-License-Identifier: Apache-2.0
// An evaluation without a run: weights from a file, what is found out as lines of JSON.
#ifndef CONADV_WORKER_STANDALONE_EVALUATE_FILE_H_
#define CONADV_WORKER_STANDALONE_EVALUATE_FILE_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "worker/device/device.h"

namespace conadv {

struct FileEvaluation {
  std::string job;       // a file, in protobuf text format
  std::string weights;   // a safetensors file; empty: the model's own
  std::string data_dir;  // instead of the job's dataset.path, unless it is empty
  int threads = 1;
  std::shared_ptr<Device> device;
  std::function<bool()> stopped;
};

// Lines, each an object: {"stage", "examples", "done", "right", "standing"} as things get on, and
// at last {"result": {…}} with the fields of a report. `write` is called on any thread, one call at
// a time. CANCELLED: stopped. Others say what is wrong with which file.
absl::Status EvaluateFile(const FileEvaluation& evaluation,
                          const std::function<void(const std::string& line)>& write);

}  // namespace conadv

#endif  // CONADV_WORKER_STANDALONE_EVALUATE_FILE_H_
