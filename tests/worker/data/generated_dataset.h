// SPDX-License-Identifier: Apache-2.0
// A data set without a file: every image is made when it is asked for, from its index alone, so it
// may be far larger than memory. Thread-safe.
#ifndef CONADV_TESTS_WORKER_DATA_GENERATED_DATASET_H_
#define CONADV_TESTS_WORKER_DATA_GENERATED_DATASET_H_

#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "common/base/random.h"
#include "worker/data/dataset.h"

namespace conadv {

struct GeneratedOptions {
  uint64_t examples = uint64_t{1} << 40;
  uint32_t classes = 1000;
  ImageSize image_size = {1, 8, 8};
  uint64_t unreadable = UINT64_MAX;  // the index of an example that cannot be read
};

class GeneratedDataset final : public Dataset {
 public:
  explicit GeneratedDataset(const GeneratedOptions& options) : options_(options) {}

  uint64_t examples() const override { return options_.examples; }
  uint32_t classes() const override { return options_.classes; }
  ImageSize image_size() const override { return options_.image_size; }
  uint64_t Fingerprint() const override { return options_.examples ^ options_.classes; }

  absl::StatusOr<int64_t> Load(uint64_t index, absl::Span<uint8_t> image) const override {
    if (index == options_.unreadable) {
      return absl::NotFoundError(absl::StrCat("example ", index, ": the file is gone"));
    }
    Random random(1, Purpose::kAugmentation, index);
    for (uint8_t& pixel : image) pixel = static_cast<uint8_t>(random.Next32());
    return LabelOf(index);
  }

  int64_t LabelOf(uint64_t index) const { return static_cast<int64_t>(index % options_.classes); }

 private:
  const GeneratedOptions options_;
};

}  // namespace conadv

#endif  // CONADV_TESTS_WORKER_DATA_GENERATED_DATASET_H_
