// SPDX-License-Identifier: Apache-2.0
#include "worker/member/setup.h"

#include <exception>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "common/job/streams.h"
#include "common/plan/tensor_rules.h"
#include "worker/data/open.h"

namespace conadv {
namespace {

absl::Status MakeModel(Setup* setup) {
  const Job& job = setup->run.job;
  const Dataset& dataset = *setup->dataset;
  const ImageSize size = dataset.image_size();
  const ImageShape shape{size.channels, size.height, size.width, dataset.classes()};
  CONADV_ASSIGN_OR_RETURN(setup->model, OpenModel(job.model, job.dataset, shape, job.seed));
  const std::unique_ptr<Network> network = setup->model.factory();
  std::vector<TensorSpec> tensors = TensorsOf(*network, TwinBranches(job.training));
  CONADV_RETURN_IF_ERROR(CheckTensorRules(job.optimizer, tensors));
  CONADV_ASSIGN_OR_RETURN(
      Layout layout, Layout::Create(tensors, static_cast<uint32_t>(setup->run.servers.size())));
  setup->layout = std::make_shared<const Layout>(std::move(layout));
  auto weights = std::make_shared<Arena>(setup->layout->total_size());
  CopyInitialWeights(*network, *setup->layout, weights->span());

  auto plan = std::make_shared<Plan>();
  plan->tensors = std::move(tensors);
  plan->examples = dataset.examples();
  plan->steps = StepsOf(job.training, dataset.examples());
  plan->data_fingerprint = dataset.Fingerprint();
  plan->model_fingerprint = setup->model.fingerprint;
  plan->initial_weights_crc32c = WeightsCrc32c(*setup->layout, weights->span());
  setup->plan = std::move(plan);
  setup->initial_weights = std::move(weights);
  setup->image_bytes = size.bytes();
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Setup> MakeSetup(RunInfo run, const std::string& data_dir,
                                std::shared_ptr<Device> device) {
  Setup setup;
  setup.device = std::move(device);
  if (!data_dir.empty()) run.job.dataset.path = data_dir;
  setup.run = std::move(run);
  const DatasetOptions& options = setup.run.job.dataset;
  CONADV_ASSIGN_OR_RETURN(setup.dataset, OpenDataset(options, Split::kTrain, options.limit));
  try {
    CONADV_RETURN_IF_ERROR(MakeModel(&setup));
  } catch (const std::exception& error) {
    return absl::InternalError(absl::StrCat("making the model: ", error.what()));
  }
  return setup;
}

}  // namespace conadv
