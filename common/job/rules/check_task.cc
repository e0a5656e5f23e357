// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include "common/base/printable.h"
#include "common/job/rules/rules.h"

namespace conadv {
namespace {

std::string Quoted(const std::string& text) { return absl::StrCat("\"", Printable(text), "\""); }

void CheckModel(const v1::Model& model, Violations* violations) {
  constexpr uint32_t kMaxWidth = 4096;
  switch (model.source_case()) {
    case v1::Model::SOURCE_NOT_SET:
      violations->Require(false, "model.builtin",
                          absl::StrCat("must be set, to one of ", BuiltinModelNames(),
                                       "; or model.torchscript, to a file of your own"));
      break;
    case v1::Model::kBuiltin:
      violations->Require(IsBuiltinModel(model.builtin()), "model.builtin",
                          absl::StrCat("must be one of ", BuiltinModelNames()),
                          Quoted(model.builtin()));
      break;
    case v1::Model::kTorchscript:
      violations->Require(!model.torchscript().empty(), "model.torchscript",
                          "must be the path of a TorchScript file");
      break;
  }
  violations->Require(model.width() <= kMaxWidth, "model.width", "must be 0 to 4096",
                      model.width());
  if (model.stem() != v1::Model::IMAGENET) {
    violations->Require(model.builtin() == "resnet18" || model.builtin() == "resnet50",
                        "model.stem", "needs model.builtin resnet18 or resnet50");
  }
}

void CheckImages(const v1::Dataset& dataset, Violations* violations) {
  constexpr uint32_t kMaxSide = 8192;
  const uint32_t channels = dataset.channels();
  violations->Require(dataset.height() <= kMaxSide, "dataset.height", "must be ≤ 8192",
                      dataset.height());
  violations->Require(dataset.width() <= kMaxSide, "dataset.width", "must be ≤ 8192",
                      dataset.width());
  violations->Require(
      (dataset.height() == 0) == (dataset.width() == 0), "dataset.width",
      absl::StrCat("must be 0 if dataset.height is, and only then; that is ", dataset.height()),
      dataset.width());
  violations->Require(channels <= 4 && channels != 2, "dataset.channels",
                      "must be 1 (grey), 3 (RGB) or 4 (RGB and opacity), or 0, which is 3",
                      channels);
  const uint32_t has = channels == 0 ? 3 : channels;
  for (const auto& [name, size] : {std::pair("dataset.mean", dataset.mean_size()),
                                   std::pair("dataset.deviation", dataset.deviation_size())}) {
    violations->Require(size <= 1 || static_cast<uint32_t>(size) == has, name,
                        absl::StrCat("must be one, or one for each of the ", has, " channels"),
                        size);
  }
}

// What the formats of one size and kind of image have no use for.
void CheckNoImages(const v1::Dataset& dataset, Violations* violations) {
  for (const auto& [name, given] :
       {std::pair("dataset.height", dataset.height() != 0),
        std::pair("dataset.width", dataset.width() != 0),
        std::pair("dataset.channels", dataset.channels() != 0),
        // A job in full has the default.
        std::pair("dataset.cache_bytes",
                  dataset.cache_bytes() != v1::Dataset::default_instance().cache_bytes()),
        std::pair("dataset.max_corrupt", dataset.max_corrupt() != 0)}) {
    violations->Require(!given, name, "needs dataset.format FOLDER or TAR",
                        v1::Dataset::Format_Name(dataset.format()));
  }
}

void CheckDataset(const v1::Dataset& dataset, Violations* violations) {
  violations->Require(!dataset.path().empty(), "dataset.path",
                      "must be set, to the directory of the data set's files");
  for (const float mean : dataset.mean()) {
    violations->RequireReal(true, "dataset.mean", "", mean);
  }
  for (const float deviation : dataset.deviation()) {
    violations->RequireReal(deviation > 0, "dataset.deviation", "must be > 0", deviation);
  }
  const int means = dataset.mean_size(), deviations = dataset.deviation_size();
  violations->Require(means <= 1 || deviations <= 1 || means == deviations, "dataset.deviation",
                      absl::StrCat("must be one, or as many as dataset.mean has, ", means),
                      deviations);
  if (dataset.format() == v1::Dataset::FOLDER || dataset.format() == v1::Dataset::TAR) {
    CheckImages(dataset, violations);
  } else {
    CheckNoImages(dataset, violations);
  }
  CheckAugmentation(dataset, violations);
}

void CheckConsistency(const v1::Job& job, Violations* violations) {
  constexpr uint32_t kMaxBound = 1024;
  const v1::Training& training = job.training();
  const bool sync = training.consistency() == v1::Training::SYNC;
  if (training.has_staleness_bound()) {
    violations->Require(training.consistency() == v1::Training::SSP, "training.staleness_bound",
                        "needs training.consistency SSP", Name(training.consistency()));
  }
  violations->Require(training.staleness_bound() <= kMaxBound, "training.staleness_bound",
                      "must be ≤ 1024", training.staleness_bound());
  violations->Require(!training.damping() || !sync, "training.damping",
                      "needs training.consistency SSP or ASYNC", "SYNC");
  violations->RequireReal(training.delay_compensation() >= 0, "training.delay_compensation",
                          "must be ≥ 0", training.delay_compensation());
  violations->Require(!(training.delay_compensation() > 0) || !sync, "training.delay_compensation",
                      "needs training.consistency SSP or ASYNC", "SYNC");
  violations->Require(sync || !job.has_reproducible() || !job.reproducible(), "reproducible",
                      "must be false or unset unless training.consistency is SYNC",
                      Name(training.consistency()));
}

void CheckLength(const v1::Training& training, Violations* violations) {
  constexpr uint32_t kMaxSlots = 4096;
  const bool slots_ok = training.slots() >= 1 && training.slots() <= kMaxSlots;
  violations->Require(slots_ok, "training.slots", "must be 1 to 4096", training.slots());
  violations->Require(training.global_batch() > 0, "training.global_batch", "must be ≥ 1",
                      training.global_batch());
  if (slots_ok) {
    // BatchNorm has no variance to divide by in a slot of one.
    violations->Require(
        training.global_batch() == 0 || training.global_batch() / training.slots() >= 2,
        "training.global_batch",
        absl::StrCat("must be ≥ 2 examples for each of the ", training.slots(), " training.slots"),
        training.global_batch());
    violations->Require(
        training.global_batch() % training.slots() == 0, "training.global_batch",
        absl::StrCat("must be a multiple of training.slots (", training.slots(), ")"),
        training.global_batch());
  }
  violations->RequireReal(training.epochs() >= 0 && training.epochs() <= 1e6, "training.epochs",
                          "must be 0 to 1e6", training.epochs());
  violations->Require(training.steps() <= 1'000'000'000'000, "training.steps", "must be ≤ 1e12",
                      training.steps());
  violations->Require(training.epochs() != 0 || training.steps() > 0, "training.epochs",
                      "must be > 0 unless training.steps is");
  const float smoothing = training.label_smoothing();
  violations->RequireReal(smoothing >= 0 && smoothing < 1, "training.label_smoothing",
                          "must be 0 to < 1", smoothing);
}

}  // namespace

void CheckTask(const v1::Job& job, Violations* violations) {
  CheckModel(job.model(), violations);
  CheckDataset(job.dataset(), violations);
  CheckStreams(job, violations);
  CheckConsistency(job, violations);
  CheckLength(job.training(), violations);
}

}  // namespace conadv
