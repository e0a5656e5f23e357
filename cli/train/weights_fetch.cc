// SPDX-License-Identifier: Apache-2.0
#include "cli/train/weights_fetch.h"

#include <chrono>
#include <utility>

#include "absl/status/statusor.h"
#include "cli/client/weights.h"

namespace conadv {

WeightsFetch::WeightsFetch(std::string path, bool averaged, const FileSystem* files,
                           std::function<void()> wake)
    : path_(std::move(path)), averaged_(averaged), files_(files), wake_(std::move(wake)) {}

void WeightsFetch::Begin(const std::string& coordinator, absl::Duration timeout) {
  fetched_ = std::async(std::launch::async, [this, coordinator, timeout] {
    WeightsFetched fetched = Fetch(coordinator, timeout);
    wake_();
    return fetched;
  });
}

std::optional<WeightsFetched> WeightsFetch::Take() {
  if (!fetched_.valid()) return std::nullopt;
  if (fetched_.wait_for(std::chrono::seconds(0)) != std::future_status::ready) return std::nullopt;
  return fetched_.get();
}

WeightsFetched WeightsFetch::Fetch(const std::string& coordinator, absl::Duration timeout) const {
  WeightsFetched fetched;
  const absl::StatusOr<Weights> weights =
      PullWeights(coordinator, PullSelector::Latest().Averaged(averaged_), timeout);
  fetched.pulled = weights.status();
  if (!weights.ok()) return fetched;
  fetched.version = weights->version.value();
  fetched.crc32c = weights->crc32c();
  fetched.written = WriteWeights(*weights, path_, *files_);
  return fetched;
}

}  // namespace conadv
