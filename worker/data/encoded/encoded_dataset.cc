// SPDX-License-Identifier: Apache-2.0
#include "worker/data/encoded/encoded_dataset.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "glog/logging.h"
#include "worker/data/fingerprint.h"
#include "worker/data/image/cover.h"
#include "worker/data/image/decode.h"

namespace conadv {

absl::StatusOr<std::unique_ptr<EncodedDataset>> EncodedDataset::Create(
    std::unique_ptr<EncodedExamples> examples, const ImageOptions& options) {
  std::unique_ptr<EncodedDataset> dataset(new EncodedDataset(std::move(examples), options));
  CONADV_ASSIGN_OR_RETURN(const Decoded first, dataset->DecodeOrSubstitute(0));
  dataset->size_ = {options.channels, options.height, options.width};
  if (options.height == 0) {
    dataset->size_.height = first.image.height;
    dataset->size_.width = first.image.width;
    dataset->gives_size_ = dataset->stored_->Name(first.index);
  }
  return dataset;
}

uint64_t EncodedDataset::Fingerprint() const {
  return uint64_t{stored_->Fingerprint()} << 32 | ShapeFingerprint(size_, classes(), examples());
}

absl::StatusOr<int64_t> EncodedDataset::Load(uint64_t index, absl::Span<uint8_t> image) const {
  CONADV_ASSIGN_OR_RETURN(const Decoded decoded, DecodeOrSubstitute(index));
  const Image& found = decoded.image;
  if (options_.height == 0 && (found.height != size_.height || found.width != size_.width)) {
    return absl::InvalidArgumentError(absl::StrCat(
        stored_->Name(decoded.index), " has ", found.height, " x ", found.width, " pixels, and ",
        gives_size_, " ", size_.height, " x ", size_.width,
        "; set dataset.height and dataset.width, to which every image is then scaled"));
  }
  Cover(found, size_.height, size_.width, image);
  return stored_->Label(decoded.index);
}

absl::StatusOr<EncodedDataset::Decoded> EncodedDataset::DecodeOrSubstitute(uint64_t index) const {
  for (uint64_t tried = 0; tried < examples(); ++tried) {
    const uint64_t at = (index + tried) % examples();
    if (!IsKnownCorrupt(at)) {
      CONADV_ASSIGN_OR_RETURN(const std::string bytes, stored_->Read(at));
      absl::StatusOr<Image> image = DecodeImage(bytes, options_.channels);
      if (image.ok()) return Decoded{at, *std::move(image)};
      if (!absl::IsDataLoss(image.status())) return image.status();
      NoteCorrupt(at, image.status());
    }
    CONADV_RETURN_IF_ERROR(CheckCorrupt());
  }
  return absl::DataLossError(absl::StrCat("not one of ", examples(), " images can be decoded, ",
                                          stored_->Name(index), " among them"));
}

bool EncodedDataset::IsKnownCorrupt(uint64_t index) const {
  const MutexLock lock(&mutex_);
  return corrupt_.count(index) > 0;
}

void EncodedDataset::NoteCorrupt(uint64_t index, const absl::Status& damage) const {
  const std::string what = absl::StrCat(stored_->Name(index), ": ", damage.message());
  const MutexLock lock(&mutex_);
  if (!corrupt_.insert(index).second) return;  // another thread was first
  last_corrupt_ = what;
  if (corrupt_.size() > options_.max_corrupt) return;  // CheckCorrupt() says so
  LOG(WARNING) << what << "; another image takes its place (" << corrupt_.size() << " of at most "
               << options_.max_corrupt << ")";
}

absl::Status EncodedDataset::CheckCorrupt() const {
  const MutexLock lock(&mutex_);
  if (corrupt_.size() <= options_.max_corrupt) return absl::OkStatus();
  return absl::DataLossError(absl::StrCat(
      last_corrupt_, " (damaged images: ", corrupt_.size(), ", dataset.max_corrupt is ",
      options_.max_corrupt, "; repair or remove it, or set that higher to go on without it)"));
}

}  // namespace conadv
