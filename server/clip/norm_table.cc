// SPDX-License-Identifier: Apache-2.0
#include "server/clip/norm_table.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace conadv {
namespace {

absl::Status CheckSquares(const Layout& layout, uint32_t shard,
                          const std::vector<double>& squares) {
  if (shard == 0 || shard >= layout.shards()) {
    return absl::InvalidArgumentError(
        absl::StrCat("shard: must be 1 to ", layout.shards() - 1, ", got ", shard));
  }
  const absl::Span<const size_t> tensors = layout.tensors_of(shard);
  if (squares.size() != tensors.size()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "squares: shard ", shard, " has ", tensors.size(), " tensors, got ", squares.size()));
  }
  for (size_t t = 0; t < tensors.size(); ++t) {
    if (squares[t] < 0) {
      return absl::InvalidArgumentError(absl::StrCat("squares: must be ≥ 0, got ", squares[t],
                                                     " of tensor ",
                                                     layout.placements()[tensors[t]].tensor.name));
    }
  }
  return absl::OkStatus();
}

}  // namespace

void NormTable::Combine(const Layout& layout, ShardNorms own, Callback done) {
  Add(layout, 0, std::move(own), std::move(done));
}

void NormTable::Offer(const Layout& layout, uint32_t shard, ShardNorms norms, Callback done) {
  const absl::Status status = CheckSquares(layout, shard, norms.squares);
  status.ok() ? Add(layout, shard, std::move(norms), std::move(done)) : done(status);
}

absl::Status NormTable::CheckVersion(uint32_t shard, Version version) const {
  if (!closed_.ok()) return closed_;
  // A shard is at most one update ahead of what all have had.
  const bool follows = !last_.has_value() || version == last_->version + 1;
  // What shard 0 itself applies is what is under way.
  if (follows && (arrived_.empty() || shard == 0 || version == version_)) return absl::OkStatus();
  const Version awaited = arrived_.empty() ? last_->version + 1 : version_;
  return absl::FailedPreconditionError(
      absl::StrCat("version: ", awaited.value(), " is under way, got ", version.value()));
}

void NormTable::Add(const Layout& layout, uint32_t shard, ShardNorms norms, Callback done) {
  Answers answers;
  {
    MutexLock lock(&mutex_);
    const absl::Status status = CheckVersion(shard, norms.version);
    if (closed_.ok() && last_.has_value() && norms.version == last_->version) {
      answers.emplace_back(std::move(done), last_->norm);
    } else if (!status.ok()) {
      answers.emplace_back(std::move(done), status);
    } else {
      if (version_ != norms.version) {
        AnswerAll(absl::FailedPreconditionError("version: shard 0 is at another"), &answers);
      }
      version_ = norms.version;
      if (const auto found = arrived_.find(shard); found != arrived_.end()) {
        answers.emplace_back(std::move(found->second.done),
                             absl::AbortedError("this shard has asked again"));
      }
      arrived_[shard] = {std::move(norms.squares), std::move(done)};
      if (arrived_.size() == layout.shards()) {
        std::vector<std::vector<double>> squares;
        for (auto& [of, part] : arrived_) squares.push_back(std::move(part.squares));
        last_ = Combined{version_, NormOf(layout, squares)};
        AnswerAll(last_->norm, &answers);
      }
    }
  }
  for (auto& [callback, answer] : answers) callback(answer);
}

void NormTable::AnswerAll(const absl::StatusOr<double>& answer, Answers* answers) {
  for (auto& [shard, part] : arrived_) answers->emplace_back(std::move(part.done), answer);
  arrived_.clear();
}

void NormTable::Close(const absl::Status& status) {
  Answers answers;
  {
    MutexLock lock(&mutex_);
    closed_ = status;
    AnswerAll(status, &answers);
  }
  for (auto& [callback, answer] : answers) callback(answer);
}

}  // namespace conadv
