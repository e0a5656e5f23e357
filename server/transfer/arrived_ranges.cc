// SPDX-License-Identifier: Apache-2.0
#include "server/transfer/arrived_ranges.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace conadv {

absl::Status ArrivedRanges::Add(Range part) {
  if (part.begin < range_.begin || part.end > range_.end || part.end < part.begin) {
    return absl::InvalidArgumentError(absl::StrCat("chunk: elements ", part.begin, " to ", part.end,
                                                   ", expected some of ", range_.begin, " to ",
                                                   range_.end));
  }
  if (part.size() == 0) return absl::OkStatus();
  // The first piece that begins after the part.
  const auto after =
      std::upper_bound(pieces_.begin(), pieces_.end(), part.begin,
                       [](size_t begin, const Range& piece) { return begin < piece.begin; });
  const bool has_before = after != pieces_.begin();
  const auto before = has_before ? after - 1 : after;
  if ((has_before && before->end > part.begin) ||
      (after != pieces_.end() && part.end > after->begin)) {
    return absl::InvalidArgumentError(
        absl::StrCat("chunk: some of the elements ", part.begin, " to ", part.end, " came before"));
  }
  const bool joins_before = has_before && before->end == part.begin;
  const bool joins_after = after != pieces_.end() && part.end == after->begin;
  if (joins_before && joins_after) {
    before->end = after->end;
    pieces_.erase(after);
  } else if (joins_before) {
    before->end = part.end;
  } else if (joins_after) {
    after->begin = part.begin;
  } else if (pieces_.size() == kMostPieces) {
    return absl::InvalidArgumentError(absl::StrCat(
        "chunk: more than ", kMostPieces, " pieces lie apart; send chunks that follow each other"));
  } else {
    pieces_.insert(after, part);
  }
  missing_ -= part.size();
  return absl::OkStatus();
}

}  // namespace conadv
