// SPDX-License-Identifier: Apache-2.0
#include "worker/data/cached_dataset.h"

#include <cstring>

#include "common/base/status_macros.h"

namespace conadv {

absl::StatusOr<int64_t> CachedDataset::Load(uint64_t index, absl::Span<uint8_t> image) const {
  if (const Example* const kept = Find(index); kept != nullptr) {
    std::memcpy(image.data(), kept->image.get(), image.size());
    return kept->label;
  }
  CONADV_ASSIGN_OR_RETURN(const int64_t label, dataset_->Load(index, image));
  {
    const MutexLock lock(&mutex_);
    if (!HasRoom()) return label;
  }
  std::unique_ptr<uint8_t[]> copy(new uint8_t[image.size()]);
  std::memcpy(copy.get(), image.data(), image.size());
  auto example = std::make_unique<const Example>(Example{label, std::move(copy)});
  const MutexLock lock(&mutex_);
  if (!HasRoom()) return label;
  kept_.try_emplace(index, std::move(example));  // another thread may have been first
  return label;
}

uint64_t CachedDataset::bytes() const {
  const MutexLock lock(&mutex_);
  return kept_.size() * BytesOfOne();
}

uint64_t CachedDataset::BytesOfOne() const {
  // The allocator's, and the map's, which is half empty after it has grown.
  constexpr uint64_t kBookkeeping = 96;
  return image_size().bytes() + kBookkeeping;
}

const CachedDataset::Example* CachedDataset::Find(uint64_t index) const {
  const MutexLock lock(&mutex_);
  const auto found = kept_.find(index);
  return found == kept_.end() ? nullptr : found->second.get();
}

bool CachedDataset::HasRoom() const { return (kept_.size() + 1) * BytesOfOne() <= limit_bytes_; }

}  // namespace conadv
