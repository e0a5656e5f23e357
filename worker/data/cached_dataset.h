// SPDX-License-Identifier: Apache-2.0
// Keeps examples of a data set that costs time to load: first come, first kept, up to a limit.
// Thread-safe; owns the data set.
#ifndef CONADV_WORKER_DATA_CACHED_DATASET_H_
#define CONADV_WORKER_DATA_CACHED_DATASET_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "common/thread/mutex.h"
#include "worker/data/dataset.h"

namespace conadv {

// Which are kept depends on who asks first; what is returned never does. Nothing kept is given up:
// epochs visit all examples in turn, where a cache that forgets the oldest would never hit.
class CachedDataset final : public Dataset {
 public:
  CachedDataset(std::unique_ptr<Dataset> dataset, uint64_t limit_bytes)
      : dataset_(std::move(dataset)), limit_bytes_(limit_bytes) {}

  uint64_t examples() const override { return dataset_->examples(); }
  uint32_t classes() const override { return dataset_->classes(); }
  std::vector<std::string> class_names() const override { return dataset_->class_names(); }
  ImageSize image_size() const override { return dataset_->image_size(); }
  uint64_t Fingerprint() const override { return dataset_->Fingerprint(); }
  // Errors are not kept: the next call tries again.
  absl::StatusOr<int64_t> Load(uint64_t index, absl::Span<uint8_t> image) const override;

  // Of what is kept, with what keeping it takes.
  uint64_t bytes() const ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  struct Example {
    int64_t label = 0;
    std::unique_ptr<const uint8_t[]> image;  // never changes, and stays until the end
  };

  uint64_t BytesOfOne() const;
  const Example* Find(uint64_t index) const ABSL_LOCKS_EXCLUDED(mutex_);
  bool HasRoom() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const std::unique_ptr<Dataset> dataset_;
  const uint64_t limit_bytes_;

  mutable Mutex mutex_;
  mutable absl::flat_hash_map<uint64_t, std::unique_ptr<const Example>> kept_
      ABSL_GUARDED_BY(mutex_);
};

}  // namespace conadv

#endif  // CONADV_WORKER_DATA_CACHED_DATASET_H_
