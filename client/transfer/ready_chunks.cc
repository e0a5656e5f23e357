// SPDX-License-Identifier: Apache-2.0
#include "client/transfer/ready_chunks.h"

#include <algorithm>
#include <utility>

namespace conadv {

ReadyChunks::ReadyChunks(Range range, size_t chunk_elements)
    : range_(range),
      chunk_elements_(chunk_elements),
      count_(std::max<size_t>((range.size() + chunk_elements - 1) / chunk_elements, 1)) {
  for (size_t i = 0; i < count_; ++i) missing_.push_back(ChunkAt(i).size());
  if (range.size() == 0) last_ = 0;
}

Range ReadyChunks::ChunkAt(size_t index) const {
  const size_t begin = range_.begin + index * chunk_elements_;
  return {begin, std::min(begin + chunk_elements_, range_.end)};
}

void ReadyChunks::Add(Range part) {
  part = {std::max(part.begin, range_.begin), std::min(part.end, range_.end)};
  if (part.begin >= part.end) return;
  std::function<void()> woken;
  {
    MutexLock lock(&mutex_);
    const size_t first = (part.begin - range_.begin) / chunk_elements_;
    const size_t end = (part.end - 1 - range_.begin) / chunk_elements_ + 1;
    // Backward passes come from the end.
    for (size_t i = end; i-- > first;) {
      const Range chunk = ChunkAt(i);
      const size_t size = std::min(chunk.end, part.end) - std::max(chunk.begin, part.begin);
      if (missing_[i] == 0) continue;
      missing_[i] -= std::min(size, missing_[i]);
      if (missing_[i] > 0) continue;
      if (order_.size() + 1 < count_) {
        order_.push_back(i);
      } else {
        last_ = i;
      }
    }
    woken = TakeWoken();
  }
  if (woken) woken();
}

void ReadyChunks::AddRest() {
  std::function<void()> woken;
  {
    MutexLock lock(&mutex_);
    for (size_t i = 0; i < missing_.size(); ++i) {
      if (std::exchange(missing_[i], 0) > 0) order_.push_back(i);
    }
    if (last_.has_value()) order_.push_back(*std::exchange(last_, std::nullopt));
    woken = TakeWoken();
  }
  if (woken) woken();
}

void ReadyChunks::Abandon() {
  std::function<void()> woken;
  {
    MutexLock lock(&mutex_);
    abandoned_ = true;
    woken = TakeWoken();
  }
  if (woken) woken();
}

bool ReadyChunks::whole() const {
  MutexLock lock(&mutex_);
  return order_.size() == count_;
}

ReadyChunks::Next ReadyChunks::Get(size_t before, std::function<void()> woken) {
  MutexLock lock(&mutex_);
  woken_ = nullptr;
  if (abandoned_ && order_.size() < count_) return {State::kNever, {}, false};
  if (before < order_.size()) {
    return {State::kReady, ChunkAt(order_[before]), before + 1 == count_};
  }
  awaited_ = before + 1;
  woken_ = std::move(woken);
  return {};
}

std::function<void()> ReadyChunks::TakeWoken() {
  if (order_.size() < awaited_ && !abandoned_) return nullptr;
  return std::exchange(woken_, nullptr);
}

}  // namespace conadv
