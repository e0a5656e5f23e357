// SPDX-License-Identifier: Apache-2.0
// A push's header and its answer, from and to the wire. Pure functions.
#ifndef CONADV_COMMON_PROTOCOL_PUSH_MESSAGE_H_
#define CONADV_COMMON_PROTOCOL_PUSH_MESSAGE_H_

#include <memory>
#include <string>
#include <variant>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/base/ids.h"
#include "common/plan/plan.h"
#include "common/protocol/contribution.h"
#include "common/tensor/bfloat16.h"

namespace conadv {

struct PushHeader {
  uint64_t layout_hash = 0;
  Lineage lineage;  // a contribution's own, if it is one; 0: not said
  std::string worker;
  // A plan: the push is of initial weights.
  std::variant<Contribution, std::shared_ptr<const Plan>> content;
  ElementType type = ElementType::kFloat32;  // of the payloads
};

std::string EncodePushHeader(const PushHeader& header);
// INVALID_ARGUMENT names the field.
absl::StatusOr<PushHeader> ParsePushHeader(const std::string& bytes);

struct PushReply {
  PushOutcome outcome = PushOutcome::kAccepted;
  Version latest;  // of the shard
  Incarnation incarnation;
  bool shared = false;  // the values went through shared memory; not on the wire
};

std::string EncodePushReply(const PushReply& reply);
// INTERNAL: it is not protobuf.
absl::StatusOr<PushReply> ParsePushReply(absl::string_view bytes);

}  // namespace conadv

#endif  // CONADV_COMMON_PROTOCOL_PUSH_MESSAGE_H_
