// SPDX-License-Identifier: Apache-2.0
#include "server/rpc/push_header.h"

#include "absl/strings/str_cat.h"
#include "common/base/printable.h"
#include "common/base/status_macros.h"
#include "common/job/plan_proto.h"
#include "common/wire/parse_message.h"
#include "conadv/v1/parameter_server.pb.h"

namespace conadv {
namespace {

constexpr size_t kMostNameBytes = 256;

absl::StatusOr<Contribution> ContributionOf(const v1::PushHeader& header) {
  const v1::PushHeader::Contribution& from = header.contribution();
  if (!v1::Stream_IsValid(from.stream())) {
    return absl::InvalidArgumentError(
        absl::StrCat("header.contribution.stream: there is no stream ", from.stream()));
  }
  Contribution to;
  to.unit = {Step(from.step()), Slot(from.slot())};
  to.stream = from.stream() == v1::CLEAN ? GradientStream::kClean : GradientStream::kAdversarial;
  to.worker = header.worker();
  to.update_version = Version(from.update_version());
  to.attack_version = Version(from.attack_version());
  to.loss = from.loss();
  to.accuracy = from.accuracy();
  return to;
}

}  // namespace

absl::StatusOr<PushHeader> ParsePushHeader(const std::string& bytes) {
  v1::PushHeader message;
  if (!ParseMessage(bytes, &message)) {
    return absl::InvalidArgumentError("header: not a valid protobuf message");
  }
  if (message.worker().size() > kMostNameBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("header.worker: a name has at most ", kMostNameBytes, " bytes"));
  }
  if (!IsPrintable(message.worker())) {
    return absl::InvalidArgumentError("header.worker: must have no control characters");
  }
  PushHeader header;
  header.layout_hash = message.layout_hash();
  header.lineage = Lineage(message.lineage());
  switch (message.content_case()) {
    case v1::PushHeader::kContribution: {
      CONADV_ASSIGN_OR_RETURN(header.content, ContributionOf(message));
      return header;
    }
    case v1::PushHeader::kInitialWeights: {
      CONADV_ASSIGN_OR_RETURN(header.content, FromProto(message.initial_weights().plan()));
      return header;
    }
    case v1::PushHeader::CONTENT_NOT_SET: break;
  }
  return absl::InvalidArgumentError("header: set contribution or initial_weights");
}

std::string EncodePushResponse(PushOutcome outcome, Version latest, Incarnation incarnation) {
  v1::PushResponse response;
  response.set_outcome(outcome == PushOutcome::kAccepted ? v1::PushResponse::ACCEPTED
                                                         : v1::PushResponse::DUPLICATE);
  response.set_latest_version(latest.value());
  response.set_incarnation(incarnation.value());
  return response.SerializeAsString();
}

}  // namespace conadv
