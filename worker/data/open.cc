// SPDX-License-Identifier: Apache-2.0
#include "worker/data/open.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "worker/data/augment/transform/affine.h"
#include "worker/data/cached_dataset.h"
#include "worker/data/cifar.h"
#include "worker/data/class_names.h"
#include "worker/data/encoded/encoded_dataset.h"
#include "worker/data/encoded/folder.h"
#include "worker/data/encoded/shards.h"
#include "worker/data/idx.h"

namespace conadv {
namespace {

std::string Shape(const ImageSize& size) {
  return absl::StrCat(size.channels, "x", size.height, "x", size.width);
}

bool IsEncoded(DatasetFormat format) {
  return format == DatasetFormat::kFolder || format == DatasetFormat::kTar;
}

absl::StatusOr<std::unique_ptr<EncodedExamples>> OpenTar(const std::string& path, Split split,
                                                         uint64_t limit) {
  CONADV_ASSIGN_OR_RETURN(std::vector<std::string> names,
                          ReadClassNames(absl::StrCat(path, "/classes.txt")));
  return OpenShards(path, split, limit, std::move(names));
}

absl::StatusOr<std::unique_ptr<Dataset>> OpenEncoded(const DatasetOptions& options, Split split,
                                                     uint64_t limit) {
  absl::StatusOr<std::unique_ptr<EncodedExamples>> examples =
      options.format == DatasetFormat::kTar ? OpenTar(options.path, split, limit)
                                            : OpenFolder(options.path, split, limit);
  CONADV_RETURN_IF_ERROR(examples.status());
  const ImageOptions images{options.channels, options.height, options.width, options.max_corrupt};
  CONADV_ASSIGN_OR_RETURN(std::unique_ptr<Dataset> dataset,
                          EncodedDataset::Create(*std::move(examples), images));
  if (options.cache_bytes == 0) return dataset;
  return std::make_unique<CachedDataset>(std::move(dataset), options.cache_bytes);
}

absl::StatusOr<std::unique_ptr<Dataset>> OpenFormat(const DatasetOptions& options, Split split,
                                                    uint64_t limit) {
  switch (options.format) {
    case DatasetFormat::kIdx: return OpenIdx(options.path, split, limit);
    case DatasetFormat::kCifar10: return OpenCifar(options.path, Cifar::k10, split, limit);
    case DatasetFormat::kCifar100: return OpenCifar(options.path, Cifar::k100, split, limit);
    case DatasetFormat::kFolder:
    case DatasetFormat::kTar: return OpenEncoded(options, split, limit);
  }
  return absl::InvalidArgumentError("dataset.format: there is no reader for it");
}

}  // namespace

absl::StatusOr<std::unique_ptr<Dataset>> OpenDataset(const DatasetOptions& options, Split split,
                                                     uint64_t limit) {
  CONADV_ASSIGN_OR_RETURN(std::unique_ptr<Dataset> dataset, OpenFormat(options, split, limit));
  const ImageSize size = dataset->image_size();
  if (!options.augmentation.empty() && std::max(size.height, size.width) > augment::kMostSide) {
    return absl::InvalidArgumentError(absl::StrCat("dataset.augmentation: takes images of at most ",
                                                   augment::kMostSide, " pixels a side, got ",
                                                   Shape(size), "; set dataset.height and width"));
  }
  return dataset;
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

absl::StatusOr<std::string> CheckDataset(const DatasetOptions& options) {
  // What is kept of those that are read whole is one example. Of the others opening keeps none, and
  // a damaged first image needs the rest for a substitute.
  const uint64_t limit = IsEncoded(options.format) ? 0 : 1;
  CONADV_ASSIGN_OR_RETURN(const std::unique_ptr<Dataset> train,
                          OpenDataset(options, Split::kTrain, limit));
  CONADV_ASSIGN_OR_RETURN(const std::unique_ptr<Dataset> test,
                          OpenDataset(options, Split::kTest, limit));
  CONADV_RETURN_IF_ERROR(CheckSplits(*train, *test, options));
  return absl::StrCat(Shape(train->image_size()), " images, ",
                      DescribeClasses(train->classes(), train->class_names()));
}

}  // namespace conadv
