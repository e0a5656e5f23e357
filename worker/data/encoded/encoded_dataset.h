// SPDX-License-Identifier: Apache-2.0
// A data set whose images are decoded when they are asked for, and brought to one size.
// Thread-safe; owns its examples.
#ifndef CONADV_WORKER_DATA_ENCODED_ENCODED_DATASET_H_
#define CONADV_WORKER_DATA_ENCODED_ENCODED_DATASET_H_

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "common/thread/mutex.h"
#include "worker/data/dataset.h"
#include "worker/data/encoded/encoded_examples.h"
#include "worker/data/image/image.h"

namespace conadv {

struct ImageOptions {
  uint32_t channels = 3;  // 1, 3 or 4
  // Both or neither; 0: all images have the size of the first that is not damaged.
  uint32_t height = 0;
  uint32_t width = 0;
  uint64_t max_corrupt = 0;
};

// An image that cannot be decoded is named in the log once, and the next one that can be, with its
// label, takes its place, as on every other worker. When more than max_corrupt were found, loading
// one is DATA_LOSS, which names the last one found. What cannot be read at all is an error and has
// no substitute: another worker may be able to read it.
class EncodedDataset final : public Dataset {
 public:
  // Decodes one image. The errors of Load().
  static absl::StatusOr<std::unique_ptr<EncodedDataset>> Create(
      std::unique_ptr<EncodedExamples> examples, const ImageOptions& options);

  uint64_t examples() const override { return stored_->examples(); }
  uint32_t classes() const override { return stored_->classes(); }
  std::vector<std::string> class_names() const override { return stored_->class_names(); }
  ImageSize image_size() const override { return size_; }
  uint64_t Fingerprint() const override;
  // INVALID_ARGUMENT: an image of another size than the first, where no size was asked for.
  absl::StatusOr<int64_t> Load(uint64_t index, absl::Span<uint8_t> image) const override;

 private:
  struct Decoded {
    uint64_t index = 0;  // the one asked for, or that in its place
    Image image;
  };

  EncodedDataset(std::unique_ptr<EncodedExamples> examples, const ImageOptions& options)
      : stored_(std::move(examples)), options_(options) {}

  absl::StatusOr<Decoded> DecodeOrSubstitute(uint64_t index) const;
  bool IsKnownCorrupt(uint64_t index) const ABSL_LOCKS_EXCLUDED(mutex_);
  void NoteCorrupt(uint64_t index, const absl::Status& damage) const ABSL_LOCKS_EXCLUDED(mutex_);
  // Whether they are still few enough.
  absl::Status CheckCorrupt() const ABSL_LOCKS_EXCLUDED(mutex_);

  const std::unique_ptr<EncodedExamples> stored_;
  const ImageOptions options_;
  ImageSize size_;          // set by Create()
  std::string gives_size_;  // the image that does, if no size was asked for

  mutable Mutex mutex_;
  mutable std::set<uint64_t> corrupt_ ABSL_GUARDED_BY(mutex_);
  mutable std::string last_corrupt_ ABSL_GUARDED_BY(mutex_);  // and what is wrong with it
};

}  // namespace conadv

#endif  // CONADV_WORKER_DATA_ENCODED_ENCODED_DATASET_H_
