// SPDX-License-Identifier: Apache-2.0
#include "server/transfer/pull_session.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "common/wire/chunk.h"

namespace conadv {

void PullSession::Start(const PullQuery& query, std::function<void(const absl::Status&)> ready,
                        std::function<void()> evict) {
  const absl::Status lineage = shard_->CheckLineage(query.lineage);
  if (!lineage.ok()) return ready(lineage);
  if (query.selector.averaged && !shard_->job().optimizer.average.has_value()) {
    return ready(absl::FailedPreconditionError(
        "averaged: this job keeps no average; give it optimizer.average"));
  }
  // Members name the lineage that they compute with.
  const bool guest = query.lineage.value() == 0;
  read_ = shard_->snapshots().Get(
      query.selector, guest,
      [this, query, ready = std::move(ready)](const absl::StatusOr<Snapshot>& snapshot) {
        ready(OnSnapshot(snapshot, query));
      },
      std::move(evict));
}

absl::Status PullSession::OnSnapshot(const absl::StatusOr<Snapshot>& snapshot,
                                     const PullQuery& query) {
  CONADV_RETURN_IF_ERROR(snapshot.status());
  const uint64_t hash = shard_->run()->layout.hash();
  if (query.layout_hash != 0 && query.layout_hash != hash) {
    return absl::InvalidArgumentError(
        absl::StrCat("layout_hash: this run's is ", hash, ", got ", query.layout_hash));
  }
  type_ = query.selector.type;
  weights_ = query.selector.averaged ? snapshot->average : snapshot->weights;
  // Older versions come back from a checkpoint for attacks, which need no average.
  if (weights_ == nullptr) {
    return absl::OutOfRangeError(absl::StrCat("the average of version ", snapshot->version.value(),
                                              " is no longer kept; pull a newer one"));
  }
  header_ = EncodePullHeader(
      {snapshot->version, incarnation_, weights_->size(), hash, shard_->lineage(), type_});
  return absl::OkStatus();
}

PullSession::Part PullSession::Next() {
  const size_t left = weights_->size() - next_;
  const size_t size = std::min(kChunkBytes / BytesOf(type_), left);
  Part part{std::exchange(header_, ""), next_, size, size == left};
  next_ += size;
  return part;
}

void PullSession::OnTaken() { shard_->snapshots().OnProgress(read_); }

bool PullSession::Cancel() { return shard_->snapshots().Cancel(read_); }

void PullSession::End() {
  weights_ = nullptr;
  shard_->snapshots().End(read_);
}

}  // namespace conadv
