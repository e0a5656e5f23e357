// SPDX-License-Identifier: Apache-2.0
// The coordinator's messages, from and to the wire. Pure functions.
#ifndef CONADV_SERVER_RPC_MEMBERSHIP_MEMBER_PROTO_H_
#define CONADV_SERVER_RPC_MEMBERSHIP_MEMBER_PROTO_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/protocol/unit_proto.h"
#include "conadv/v1/coordinator.pb.h"
#include "server/checkpoint/identity.h"
#include "server/coordinate/member.h"

namespace conadv {

// What a member says for people to read, fit for our messages.
std::string ReadableText(absl::string_view text);

// INVALID_ARGUMENT names the field.
absl::StatusOr<HelloMessage> FromProto(const v1::Hello& hello, const std::string& peer);
absl::Status FromProto(const v1::Restored& restored);
CheckpointAnswer FromProto(const v1::Checkpointed& checkpointed);
CheckpointId FromProto(const v1::CheckpointId& id);

v1::JoinResponse ToProto(const MemberMessage& message);
v1::Restored RestoredProto(const absl::Status& status);
v1::Checkpointed ToProto(const CheckpointAnswer& answer);
v1::CheckpointId ToProto(const CheckpointId& id);
void SetReport(const CheckpointReport& report, v1::Hello* hello);
v1::Role ToProto(Role role);

}  // namespace conadv

#endif  // CONADV_SERVER_RPC_MEMBERSHIP_MEMBER_PROTO_H_
