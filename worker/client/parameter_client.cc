// SPDX-License-Identifier: Apache-2.0
#include "worker/client/parameter_client.h"

#include "absl/strings/str_cat.h"

namespace conadv {

std::string PullSelector::ToString() const {
  switch (kind) {
    case Kind::kExactly: return absl::StrCat("version ", value);
    case Kind::kLatest: return "the latest version";
    case Kind::kLag: return absl::StrCat("the latest version but ", value);
    case Kind::kAtLeast: return absl::StrCat("version ", value, " or newer");
  }
  return "";
}

absl::Duration TransferAllowance(uint64_t bytes) {
  constexpr double kSlowestBytesPerSecond = 4 << 20;
  return absl::Seconds(static_cast<double>(bytes) / kSlowestBytesPerSecond);
}

}  // namespace conadv
