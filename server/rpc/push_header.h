// SPDX-License-Identifier: Apache-2.0
// PushHeader and PushResponse, from and to the wire. Pure functions.
#ifndef CONADV_SERVER_RPC_PUSH_HEADER_H_
#define CONADV_SERVER_RPC_PUSH_HEADER_H_

#include <string>
#include <variant>

#include "absl/status/statusor.h"
#include "common/base/ids.h"
#include "common/job/plan.h"
#include "server/aggregate/aggregator.h"

namespace conadv {

struct PushHeader {
  uint64_t layout_hash = 0;
  Lineage lineage;
  std::variant<Contribution, Plan> content;  // a plan: initial weights
};

// INVALID_ARGUMENT names the field.
absl::StatusOr<PushHeader> ParsePushHeader(const std::string& bytes);

std::string EncodePushResponse(PushOutcome outcome, Version latest, Incarnation incarnation);

}  // namespace conadv

#endif  // CONADV_SERVER_RPC_PUSH_HEADER_H_
