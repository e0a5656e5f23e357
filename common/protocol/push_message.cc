// SPDX-License-Identifier: Apache-2.0
#include "common/protocol/push_message.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/printable.h"
#include "common/base/status_macros.h"
#include "common/job/streams.h"
#include "common/plan/plan_proto.h"
#include "common/protocol/element_type.h"
#include "common/wire/parse_message.h"
#include "conadv/v1/parameter_server.pb.h"

namespace conadv {
namespace {

constexpr size_t kMostNameBytes = 256;

absl::StatusOr<Contribution> ContributionOf(const v1::PushHeader& header) {
  const v1::PushHeader::Contribution& from = header.contribution();
  // The enum is open: newer peers may have more.
  const uint32_t stream = from.stream();
  if (stream >= kMostStreams) {
    return absl::InvalidArgumentError(
        absl::StrCat("header.contribution.stream: there is no stream ", stream));
  }
  Contribution to;
  to.unit = {Step(from.step()), Slot(from.slot())};
  to.stream = StreamIndex(stream);
  to.worker = header.worker();
  to.update_version = Version(from.update_version());
  to.attack_version = Version(from.attack_version());
  to.loss = from.loss();
  to.accuracy = from.accuracy();
  if (from.has_attack_cosine()) to.attack_cosine = from.attack_cosine();
  if (from.has_attack_origins()) {
    to.attack_origins = {from.attack_origins().lease(), from.attack_origins().compute()};
  }
  to.lineage = Lineage(header.lineage());
  return to;
}

void Fill(const Contribution& from, v1::PushHeader::Contribution* to) {
  to->set_step(from.unit.step.value());
  to->set_slot(static_cast<uint32_t>(from.unit.slot.value()));
  to->set_stream(static_cast<uint32_t>(from.stream.value()));
  to->set_update_version(from.update_version.value());
  to->set_attack_version(from.attack_version.value());
  to->set_loss(from.loss);
  to->set_accuracy(from.accuracy);
  if (from.attack_cosine.has_value()) to->set_attack_cosine(*from.attack_cosine);
  if (from.attack_origins.has_value()) {
    to->mutable_attack_origins()->set_lease(from.attack_origins->lease);
    to->mutable_attack_origins()->set_compute(from.attack_origins->compute);
  }
}

}  // namespace

std::string EncodePushHeader(const PushHeader& header) {
  v1::PushHeader message;
  message.set_layout_hash(header.layout_hash);
  message.set_lineage(header.lineage.value());
  message.set_worker(header.worker);
  message.set_element_type(ToProto(header.type));
  if (const auto* contribution = std::get_if<Contribution>(&header.content)) {
    // Its own, whatever the session's is by now: it may have been computed, or have waited, for
    // long.
    message.set_lineage(contribution->lineage.value());
    Fill(*contribution, message.mutable_contribution());
  } else {
    *message.mutable_initial_weights()->mutable_plan() =
        ToProto(*std::get<std::shared_ptr<const Plan>>(header.content));
  }
  return message.SerializeAsString();
}

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
  header.worker = message.worker();
  CONADV_ASSIGN_OR_RETURN(header.type, FromProto(message.element_type()));
  switch (message.content_case()) {
    case v1::PushHeader::kContribution: {
      CONADV_ASSIGN_OR_RETURN(header.content, ContributionOf(message));
      return header;
    }
    case v1::PushHeader::kInitialWeights: {
      CONADV_ASSIGN_OR_RETURN(Plan plan, FromProto(message.initial_weights().plan()));
      header.content = std::make_shared<const Plan>(std::move(plan));
      return header;
    }
    case v1::PushHeader::CONTENT_NOT_SET: break;
  }
  return absl::InvalidArgumentError("header: set contribution or initial_weights");
}

std::string EncodePushReply(const PushReply& reply) {
  v1::PushResponse response;
  response.set_outcome(reply.outcome == PushOutcome::kAccepted ? v1::PushResponse::ACCEPTED
                                                               : v1::PushResponse::DUPLICATE);
  response.set_latest_version(reply.latest.value());
  response.set_incarnation(reply.incarnation.value());
  return response.SerializeAsString();
}

absl::StatusOr<PushReply> ParsePushReply(absl::string_view bytes) {
  v1::PushResponse response;
  if (!ParseMessage(bytes, &response)) {
    return absl::InternalError("the answer to a push is not protobuf");
  }
  PushReply reply;
  if (response.outcome() == v1::PushResponse::DUPLICATE) reply.outcome = PushOutcome::kDuplicate;
  reply.latest = Version(response.latest_version());
  reply.incarnation = Incarnation(response.incarnation());
  return reply;
}

}  // namespace conadv
