// SPDX-License-Identifier: Apache-2.0
#include "worker/data/encoded/folder.h"

#include <algorithm>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/base/printable.h"
#include "common/base/status_macros.h"
#include "common/os/file.h"
#include "worker/data/encoded/list_images.h"
#include "worker/data/fingerprint.h"

namespace conadv {
namespace {

class FolderExamples final : public EncodedExamples {
 public:
  FolderExamples(std::string directory, std::vector<std::string> names,
                 std::vector<std::vector<std::string>> files, std::vector<FileOfClass> order)
      : directory_(std::move(directory)),
        names_(std::move(names)),
        files_(std::move(files)),
        order_(std::move(order)) {}

  uint64_t examples() const override { return order_.size(); }
  uint32_t classes() const override { return static_cast<uint32_t>(names_.size()); }
  const std::vector<std::string>& class_names() const override { return names_; }
  std::string Name(uint64_t index) const override { return Printable(Path(index)); }
  int64_t Label(uint64_t index) const override { return order_[index].label; }

  absl::StatusOr<std::string> Read(uint64_t index) const override {
    return FileSystem::Real().Read(Path(index));
  }

  uint32_t Fingerprint() const override {
    uint32_t crc = 0;
    for (uint64_t index = 0; index < examples(); ++index) {
      // Of a file that has gone it is another one; reading it will say so.
      const uint64_t size = FileSystem::Real().Size(Path(index)).value_or(UINT64_MAX);
      crc = ExtendWithText(crc, Below(index));
      crc = ExtendWithNumber(crc, size);
      crc = ExtendWithNumber(crc, order_[index].label);
    }
    return crc;
  }

 private:
  std::string Below(uint64_t index) const {
    const FileOfClass& at = order_[index];
    return absl::StrCat(names_[at.label], "/", files_[at.label][at.file]);
  }
  std::string Path(uint64_t index) const { return absl::StrCat(directory_, "/", Below(index)); }

  const std::string directory_;
  const std::vector<std::string> names_;
  const std::vector<std::vector<std::string>> files_;  // of each class
  const std::vector<FileOfClass> order_;
};

absl::Status Refuse(const std::string& path, absl::string_view why) {
  return absl::InvalidArgumentError(absl::StrCat(Printable(path), ": ", why));
}

absl::StatusOr<std::string> SplitFolder(const std::string& path, Split split) {
  const FileSystem& files = FileSystem::Real();
  const std::string train = path + "/train", test = path + "/test", val = path + "/val";
  if (split == Split::kTrain) {
    if (files.Exists(train)) return train;
    return absl::NotFoundError(absl::StrCat("there is no ", Printable(train),
                                            "; dataset.path must be a directory with train/CLASS/ "
                                            "and test/CLASS/ (or val/CLASS/), full of images"));
  }
  const bool has_test = files.Exists(test), has_val = files.Exists(val);
  if (has_test && has_val) {
    return Refuse(path,
                  "it has both test/ and val/, and there is one test split; move one elsewhere");
  }
  if (!has_test && !has_val) {
    return absl::NotFoundError(absl::StrCat("there is neither ", Printable(test), " nor ",
                                            Printable(val),
                                            "; one of them must hold the test images, in a folder "
                                            "for each class"));
  }
  return has_test ? test : val;
}

absl::StatusOr<std::vector<std::string>> ClassNames(const std::string& path) {
  CONADV_ASSIGN_OR_RETURN(const std::string train, SplitFolder(path, Split::kTrain));
  CONADV_ASSIGN_OR_RETURN(std::vector<std::string> names, ListFolders(train));
  if (names.empty()) return Refuse(train, "there is no folder in it; each class must have one");
  return names;
}

absl::Status CheckNoOtherClass(const std::string& directory,
                               const std::vector<std::string>& names) {
  CONADV_ASSIGN_OR_RETURN(const std::vector<std::string> folders, ListFolders(directory));
  for (const std::string& folder : folders) {
    if (std::binary_search(names.begin(), names.end(), folder)) continue;
    return Refuse(absl::StrCat(directory, "/", folder),
                  "train/ has no folder of that name, and classes are train's; move it away, or "
                  "make one there");
  }
  return absl::OkStatus();
}

}  // namespace

std::vector<FileOfClass> RoundTheClasses(const std::vector<uint64_t>& counts, uint64_t limit) {
  uint64_t all = 0;
  for (const uint64_t count : counts) all += count;
  if (limit == 0 || limit > all) limit = all;
  std::vector<FileOfClass> order;
  order.reserve(limit);
  std::vector<uint32_t> left;  // classes with a file of this number
  for (uint32_t label = 0; label < counts.size(); ++label) left.push_back(label);
  for (uint64_t file = 0; order.size() < limit; ++file) {
    left.erase(std::remove_if(left.begin(), left.end(),
                              [&](uint32_t label) { return counts[label] <= file; }),
               left.end());
    for (size_t i = 0; i < left.size() && order.size() < limit; ++i) {
      order.push_back({left[i], file});
    }
  }
  return order;
}

absl::StatusOr<std::unique_ptr<EncodedExamples>> OpenFolder(const std::string& path, Split split,
                                                            uint64_t limit) {
  CONADV_ASSIGN_OR_RETURN(std::vector<std::string> names, ClassNames(path));
  CONADV_ASSIGN_OR_RETURN(const std::string directory, SplitFolder(path, split));
  if (split == Split::kTest) CONADV_RETURN_IF_ERROR(CheckNoOtherClass(directory, names));
  std::vector<std::vector<std::string>> files;
  std::vector<uint64_t> counts;
  for (const std::string& name : names) {
    const std::string folder = absl::StrCat(directory, "/", name);
    files.emplace_back();
    if (split == Split::kTrain || FileSystem::Real().Exists(folder)) {
      CONADV_ASSIGN_OR_RETURN(files.back(), ListImages(folder));
    }
    if (split == Split::kTrain && files.back().empty()) {
      return Refuse(folder, "no JPEG or PNG file is in it; each class must have one, or no folder");
    }
    counts.push_back(files.back().size());
  }
  std::vector<FileOfClass> order = RoundTheClasses(counts, limit);
  if (order.empty()) return Refuse(directory, "no JPEG or PNG file is in the folders in it");
  return std::make_unique<FolderExamples>(directory, std::move(names), std::move(files),
                                          std::move(order));
}

}  // namespace conadv
