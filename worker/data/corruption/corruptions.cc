// SPDX-License-Identifier: Apache-2.0
#include "worker/data/corruption/corruptions.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "common/base/printable.h"
#include "common/base/status_macros.h"
#include "common/os/file.h"
#include "worker/data/corruption/npy.h"
#include "worker/data/encoded/positioned_file.h"

namespace conadv {
namespace {

constexpr absl::string_view kEnding = ".npy";
constexpr char kLabels[] = "labels.npy";

using Labels = std::shared_ptr<const std::vector<int64_t>>;

absl::Status Refuse(const std::string& path, absl::string_view why) {
  return absl::InvalidArgumentError(absl::StrCat("evaluation.corruptions: ", path, ": ", why));
}

struct NpyFile {
  std::unique_ptr<PositionedFile> file;
  NpyHeader header;
};

absl::StatusOr<NpyFile> OpenNpy(const std::string& path) {
  NpyFile opened;
  CONADV_ASSIGN_OR_RETURN(opened.file, PositionedFile::Open(path));
  std::string beginning(std::min<uint64_t>(kMostNpyHeader, opened.file->size()), '\0');
  CONADV_RETURN_IF_ERROR(
      opened.file->ReadAt(0, absl::MakeSpan(beginning.data(), beginning.size())));
  absl::StatusOr<NpyHeader> header = DecodeNpyHeader(beginning, opened.file->size());
  if (!header.ok()) return Refuse(path, header.status().message());
  opened.header = *std::move(header);
  return opened;
}

int64_t LabelAt(NpyType type, const char* bytes, size_t index) {
  const char* const at = bytes + index * SizeOf(type);
  if (type == NpyType::kUint8) return static_cast<uint8_t>(*at);
  if (type == NpyType::kInt32) {
    int32_t label;
    std::memcpy(&label, at, sizeof(label));
    return label;
  }
  int64_t label;
  std::memcpy(&label, at, sizeof(label));
  return label;
}

absl::StatusOr<Labels> ReadLabels(const std::string& path, uint32_t classes) {
  CONADV_ASSIGN_OR_RETURN(const NpyFile opened, OpenNpy(path));
  if (opened.header.shape.size() != 1 || opened.header.shape[0] == 0) {
    return Refuse(path, absl::StrCat("has the shape [", absl::StrJoin(opened.header.shape, ", "),
                                     "]; labels are a list"));
  }
  // The file's size bounds it.
  std::string bytes(opened.file->size() - opened.header.offset, '\0');
  CONADV_RETURN_IF_ERROR(
      opened.file->ReadAt(opened.header.offset, absl::MakeSpan(bytes.data(), bytes.size())));
  std::vector<int64_t> labels(opened.header.values());
  for (size_t i = 0; i < labels.size(); ++i) {
    labels[i] = LabelAt(opened.header.type, bytes.data(), i);
    if (labels[i] < 0 || labels[i] >= classes) {
      return Refuse(path, absl::StrCat("label ", i, " is ", labels[i], "; the test set has ",
                                       classes, " classes"));
    }
  }
  return std::make_shared<const std::vector<int64_t>>(std::move(labels));
}

class CorruptedImages final : public Dataset {
 public:
  CorruptedImages(NpyFile images, Labels labels, const ImageSize& size, uint32_t classes)
      : images_(std::move(images)), labels_(std::move(labels)), size_(size), classes_(classes) {}

  uint64_t examples() const override { return labels_->size(); }
  uint32_t classes() const override { return classes_; }
  ImageSize image_size() const override { return size_; }
  // Nobody trains on it.
  uint64_t Fingerprint() const override { return 0; }

  absl::StatusOr<int64_t> Load(uint64_t index, absl::Span<uint8_t> image) const override {
    std::vector<char> pixels(size_.bytes());
    CONADV_RETURN_IF_ERROR(images_.file->ReadAt(images_.header.offset + index * size_.bytes(),
                                                absl::MakeSpan(pixels)));
    // [height][width][channels] as it lies there.
    const size_t places = size_t{size_.height} * size_.width;
    for (size_t place = 0; place < places; ++place) {
      for (size_t channel = 0; channel < size_.channels; ++channel) {
        image[channel * places + place] =
            static_cast<uint8_t>(pixels[place * size_.channels + channel]);
      }
    }
    return (*labels_)[index];
  }

 private:
  const NpyFile images_;
  const Labels labels_;
  const ImageSize size_;
  const uint32_t classes_;
};

absl::Status CheckImages(const std::string& path, const NpyHeader& header, uint64_t labels,
                         const ImageSize& size) {
  std::vector<uint64_t> expected = {labels, size.height, size.width, size.channels};
  // Grey images may do without.
  if (size.channels == 1 && header.shape.size() == 3) expected.pop_back();
  if (header.type == NpyType::kUint8 && header.shape == expected) return absl::OkStatus();
  return Refuse(path, absl::StrCat("has the shape [", absl::StrJoin(header.shape, ", "),
                                   "]; with the test set's images and as many as there are labels "
                                   "it would be uint8 [",
                                   absl::StrJoin(expected, ", "), "]"));
}

}  // namespace

absl::StatusOr<std::vector<Corruption>> OpenCorruptions(const std::string& directory,
                                                        const ImageSize& size, uint32_t classes,
                                                        size_t most) {
  absl::StatusOr<std::vector<std::string>> names = FileSystem::Real().List(directory);
  if (!names.ok()) {
    return absl::Status(names.status().code(),
                        absl::StrCat("evaluation.corruptions: ", names.status().message()));
  }
  const auto others = std::remove_if(names->begin(), names->end(), [](const std::string& name) {
    return !absl::EndsWith(name, kEnding) || name == kLabels;
  });
  names->erase(others, names->end());
  const std::string labels_path = absl::StrCat(directory, "/", kLabels);
  if (!FileSystem::Real().Exists(labels_path) || names->empty()) {
    return absl::NotFoundError(absl::StrCat(
        "evaluation.corruptions: ", directory, " has no ",
        names->empty() ? "NAME.npy of a corruption" : kLabels,
        "; it must be a directory as CIFAR-10-C's, with an .npy file for each corruption and ",
        kLabels));
  }
  if (names->size() > most) {
    return Refuse(directory, absl::StrCat("has ", names->size(), " corruptions; at most ", most,
                                          " are evaluated"));
  }
  for (const std::string& name : *names) {
    if (name.size() <= kLongestCorruptionName + kEnding.size() && IsPrintable(name)) continue;
    return Refuse(absl::StrCat(directory, "/", Printable(name)),
                  absl::StrCat("names are printable and have at most ", kLongestCorruptionName,
                               " bytes before ", kEnding));
  }
  CONADV_ASSIGN_OR_RETURN(const Labels labels, ReadLabels(labels_path, classes));
  if (labels->size() % kSeverities != 0) {
    return Refuse(labels_path, absl::StrCat("has ", labels->size(), " labels, no multiple of ",
                                            kSeverities, " severities"));
  }
  std::vector<Corruption> corruptions;
  for (const std::string& name : *names) {
    const std::string path = absl::StrCat(directory, "/", name);
    CONADV_ASSIGN_OR_RETURN(NpyFile images, OpenNpy(path));
    CONADV_RETURN_IF_ERROR(CheckImages(path, images.header, labels->size(), size));
    corruptions.push_back(
        {std::string(absl::StripSuffix(name, kEnding)),
         std::make_shared<CorruptedImages>(std::move(images), labels, size, classes)});
  }
  return corruptions;
}

}  // namespace conadv
