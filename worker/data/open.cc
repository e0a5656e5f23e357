// SPDX-License-Identifier: Apache-2.0
#include "worker/data/open.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "worker/data/cifar.h"
#include "worker/data/idx.h"

namespace conadv {
namespace {

std::string Shape(const ImageSize& size) {
  return absl::StrCat(size.channels, "x", size.height, "x", size.width);
}

}  // namespace

absl::StatusOr<std::unique_ptr<Dataset>> OpenDataset(const DatasetOptions& options, Split split,
                                                     uint64_t limit) {
  switch (options.format) {
    case DatasetFormat::kIdx: return OpenIdx(options.path, split, limit);
    case DatasetFormat::kCifar10: return OpenCifar(options.path, Cifar::k10, split, limit);
    case DatasetFormat::kCifar100: return OpenCifar(options.path, Cifar::k100, split, limit);
  }
  return absl::InvalidArgumentError("dataset.format: there is no reader for it");
}

absl::Status CheckSplits(const Dataset& train, const Dataset& test, const DatasetOptions& options) {
  if (test.image_size() != train.image_size()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "data set in ", options.path, ": the test split's images are ", Shape(test.image_size()),
        ", the training split's ", Shape(train.image_size())));
  }
  if (test.classes() > train.classes()) {
    return absl::InvalidArgumentError(
        absl::StrCat("data set in ", options.path, ": the test split has ", test.classes(),
                     " classes, the training split ", train.classes()));
  }
  return absl::OkStatus();
}

absl::Status CheckDataset(const DatasetOptions& options) {
  // What is kept of them is one example.
  CONADV_ASSIGN_OR_RETURN(const std::unique_ptr<Dataset> train,
                          OpenDataset(options, Split::kTrain, 1));
  CONADV_ASSIGN_OR_RETURN(const std::unique_ptr<Dataset> test,
                          OpenDataset(options, Split::kTest, 1));
  return CheckSplits(*train, *test, options);
}

}  // namespace conadv
