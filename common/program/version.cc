// SPDX-License-Identifier: Apache-2.0
#include "common/program/version.h"

namespace conadv {

absl::string_view ProjectVersion() { return CONADV_VERSION; }

}  // namespace conadv
