// SPDX-License-Identifier: Apache-2.0
#include "server/transfer/push_session.h"

#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"

namespace conadv {

PushSession::PushSession(Shard* shard, PushWatch* watch, Incarnation incarnation,
                         std::function<void()> evict)
    : shard_(shard), watch_(watch), incarnation_(incarnation), evict_(std::move(evict)) {}

absl::Status PushSession::Add(const Chunk& chunk) {
  if (chunk.has_header != !buffer_) {
    return absl::InvalidArgumentError("header: the first message has one, and only the first");
  }
  if (chunk.has_header) {
    CONADV_RETURN_IF_ERROR(Begin(chunk.header));
    if (duplicate_) return absl::OkStatus();
  }
  const size_t elements = chunk.payload_size / BytesOf(type_);
  if (chunk.payload_size % BytesOf(type_) != 0) {
    return absl::InvalidArgumentError(absl::StrCat(
        "chunk: ", chunk.payload_size, " bytes are not elements of ", BytesOf(type_), " bytes"));
  }
  // No peer can make the sum overflow: the payload is here.
  if (chunk.offset > range_.end) {
    return absl::InvalidArgumentError(
        absl::StrCat("chunk: offset ", chunk.offset, " is beyond the end, ", range_.end));
  }
  const Range part{chunk.offset, chunk.offset + elements};
  CONADV_RETURN_IF_ERROR(arrived_.Add(part));
  ReadValues(chunk, type_, buffer_->data() + (part.begin - range_.begin));
  if (contribution_.has_value()) {
    CONADV_RETURN_IF_ERROR(shard_->CheckArrived(*contribution_, part, &admission_));
  }
  // It has got room, and keeps it until it ends.
  if (place_ == 0) {
    place_ = watch_->Begin(evict_);
  } else {
    watch_->OnProgress(place_);
  }
  return absl::OkStatus();
}

absl::Status PushSession::Begin(const std::string& bytes) {
  CONADV_ASSIGN_OR_RETURN(PushHeader header, ParsePushHeader(bytes));
  CONADV_RETURN_IF_ERROR(shard_->CheckLineage(header.lineage));
  type_ = header.type;
  if (const auto* plan = std::get_if<std::shared_ptr<const Plan>>(&header.content)) {
    CONADV_ASSIGN_OR_RETURN(initial_, shard_->BeginInitialWeights(**plan));
    buffer_ = initial_->arena;
    if (buffer_ != nullptr) range_ = {0, buffer_->size()};
  } else {
    contribution_ = std::move(std::get<Contribution>(header.content));
    CONADV_ASSIGN_OR_RETURN(admission_, shard_->BeginPush(*contribution_, header.layout_hash));
    buffer_ = admission_.buffer;
    range_ = admission_.range;
  }
  duplicate_ = buffer_ == nullptr;
  arrived_ = ArrivedRanges(range_);
  return absl::OkStatus();
}

void PushSession::Finish(Answer answer) {
  Close();
  if (buffer_ == nullptr || !arrived_.whole()) {
    return answer(absl::InvalidArgumentError(
        buffer_ == nullptr ? "push: no header"
                           : absl::StrCat("push: ended with ", arrived_.missing(), " of ",
                                          range_.size(), " elements missing")));
  }
  const auto reply = [this,
                      answer = std::move(answer)](const absl::StatusOr<PushOutcome>& outcome) {
    if (!outcome.ok()) return answer(outcome.status());
    answer(Reply(*outcome));
  };
  if (initial_.has_value()) return shard_->FinishInitialWeights(*std::move(initial_), reply);
  shard_->FinishPush(*std::move(contribution_), std::move(admission_), reply);
}

PushReply PushSession::Reply(PushOutcome outcome) const {
  const std::optional<RetainedRange> retained = shard_->snapshots().retained();
  return {outcome, retained.has_value() ? retained->latest : Version(0), incarnation_};
}

}  // namespace conadv
