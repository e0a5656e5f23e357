// SPDX-License-Identifier: Apache-2.0
// Which elements of a range have come, in any order. One thread at a time.
#ifndef CONADV_SERVER_TRANSFER_ARRIVED_RANGES_H_
#define CONADV_SERVER_TRANSFER_ARRIVED_RANGES_H_

#include <cstddef>
#include <vector>

#include "absl/status/status.h"
#include "common/tensor/layout.h"

namespace conadv {

class ArrivedRanges {
 public:
  // Pieces that may lie apart from each other: a peer that leaves more gaps is refused, so that
  // what is remembered of it stays small.
  static constexpr size_t kMostPieces = 4096;

  explicit ArrivedRanges(Range range = {}) : range_(range), missing_(range.size()) {}

  // INVALID_ARGUMENT, and no change: it is not of the range, some of it came before, or there would
  // be too many pieces.
  absl::Status Add(Range part);
  bool whole() const { return missing_ == 0; }
  size_t missing() const { return missing_; }  // elements

 private:
  Range range_;
  size_t missing_;
  std::vector<Range> pieces_;  // by rising begin; none of them is empty or touches another
};

}  // namespace conadv

#endif  // CONADV_SERVER_TRANSFER_ARRIVED_RANGES_H_
