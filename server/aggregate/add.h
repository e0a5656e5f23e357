// SPDX-License-Identifier: Apache-2.0
// The inner loops over contributions. Pure functions.
#ifndef CONADV_SERVER_AGGREGATE_ADD_H_
#define CONADV_SERVER_AGGREGATE_ADD_H_

#include <cstddef>
#include <optional>

#include "absl/types/span.h"

namespace conadv {

// sum[i] += addend[i]. REQUIRES: equal lengths, 64-byte alignment, a length that is a multiple
// of 16.
void AddInPlace(absl::Span<float> sum, absl::Span<const float> addend);

// The first index whose value is a NaN or infinite. REQUIRES: as above.
std::optional<size_t> FindNotFinite(absl::Span<const float> values);

}  // namespace conadv

#endif  // CONADV_SERVER_AGGREGATE_ADD_H_
