// SPDX-License-Identifier: Apache-2.0
#include "worker/data/cifar.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "common/os/file.h"
#include "worker/data/class_names.h"

namespace conadv {
namespace {

constexpr ImageSize kImage{3, 32, 32};

std::vector<std::string> NamesOf(Cifar kind, Split split) {
  if (kind == Cifar::k100) return {split == Split::kTrain ? "train.bin" : "test.bin"};
  if (split == Split::kTest) return {"test_batch.bin"};
  return {"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin",
          "data_batch_5.bin"};
}

absl::Status AppendRecords(const CifarFile& file, Cifar kind, uint64_t limit,
                           ExampleArrays* arrays) {
  const size_t labels = kind == Cifar::k100 ? 2 : 1;
  const size_t record = labels + kImage.bytes();
  if (file.bytes.empty() || file.bytes.size() % record != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat(file.path, ": ", file.bytes.size(), " bytes are not whole records of ", record,
                     " bytes; is it the binary version of CIFAR-", arrays->classes, "?"));
  }
  for (size_t at = 0; at < file.bytes.size(); at += record) {
    const auto* const bytes = reinterpret_cast<const uint8_t*>(file.bytes.data()) + at;
    const uint8_t label = bytes[labels - 1];
    if (label >= arrays->classes) {
      return absl::InvalidArgumentError(absl::StrCat(file.path, ": record ", at / record,
                                                     " has the label ", label, " of ",
                                                     arrays->classes, " classes"));
    }
    if (limit > 0 && arrays->examples() == limit) continue;  // the rest is looked at all the same
    arrays->labels.push_back(label);
    arrays->pixels.insert(arrays->pixels.end(), bytes + labels, bytes + record);
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<ExampleArrays> DecodeCifar(const std::vector<CifarFile>& files, Cifar kind,
                                          uint64_t limit) {
  ExampleArrays arrays;
  arrays.image_size = kImage;
  arrays.classes = kind == Cifar::k100 ? 100 : 10;
  for (const CifarFile& file : files) {
    CONADV_RETURN_IF_ERROR(AppendRecords(file, kind, limit, &arrays));
  }
  if (arrays.labels.empty()) return absl::InvalidArgumentError("no files, no examples");
  return arrays;
}

absl::StatusOr<std::unique_ptr<Dataset>> OpenCifar(const std::string& directory, Cifar kind,
                                                   Split split, uint64_t limit) {
  std::vector<CifarFile> files;
  for (const std::string& name : NamesOf(kind, split)) {
    CifarFile file{absl::StrCat(directory, "/", name), ""};
    if (!FileSystem::Real().Exists(file.path)) {
      return absl::NotFoundError(
          absl::StrCat("there is no ", file.path,
                       "; dataset.path must be a directory with the data set's binary files"));
    }
    CONADV_ASSIGN_OR_RETURN(file.bytes, FileSystem::Real().Read(file.path));
    files.push_back(std::move(file));
  }
  CONADV_ASSIGN_OR_RETURN(ExampleArrays arrays, DecodeCifar(files, kind, limit));
  absl::StatusOr<std::vector<std::string>> names = ReadClassNames(
      absl::StrCat(directory, kind == Cifar::k100 ? "/fine_label_names.txt" : "/batches.meta.txt"));
  // They are for people's eyes: a file of something else is passed over.
  if (names.ok() && names->size() == arrays.classes) arrays.class_names = *std::move(names);
  return std::make_unique<MemoryDataset>(std::move(arrays));
}

}  // namespace conadv
