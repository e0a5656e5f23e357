// SPDX-License-Identifier: Apache-2.0
// What a worker or evaluator works out for itself from the run's job: data set, model, and with
// them what is trained. Immutable once made.
#ifndef CONADV_WORKER_MEMBER_SETUP_H_
#define CONADV_WORKER_MEMBER_SETUP_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "client/run/coordinator_client.h"
#include "worker/data/dataset.h"
#include "worker/device/device.h"
#include "worker/member/training_setup.h"
#include "worker/model/source/open_model.h"

namespace conadv {

struct Setup : TrainingSetup {
  std::shared_ptr<Device> device;
  std::shared_ptr<const Dataset> dataset;  // the training split
  Model model;
};

// `data_dir` stands for the job's dataset.path unless it is empty. Errors name what is missing and
// where it was looked for.
absl::StatusOr<Setup> MakeSetup(RunInfo run, const std::string& data_dir,
                                std::shared_ptr<Device> device);

}  // namespace conadv

#endif  // CONADV_WORKER_MEMBER_SETUP_H_
