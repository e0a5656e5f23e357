// SPDX-License-Identifier: Apache-2.0
#include "common/protocol/pull_message.h"

#include "common/base/status_macros.h"
#include "common/protocol/element_type.h"
#include "common/wire/parse_message.h"
#include "conadv/v1/parameter_server.pb.h"

namespace conadv {
namespace {

absl::StatusOr<PullSelector> SelectorOf(const v1::PullRequest& request) {
  switch (request.selector_case()) {
    case v1::PullRequest::kVersion: return PullSelector::Exactly(Version(request.version()));
    case v1::PullRequest::kLatest: return PullSelector::Latest();
    case v1::PullRequest::kLag: return PullSelector::Lag(request.lag());
    case v1::PullRequest::kAtLeast: return PullSelector::AtLeast(Version(request.at_least()));
    case v1::PullRequest::SELECTOR_NOT_SET: break;
  }
  return absl::InvalidArgumentError("selector: set one of version, latest, lag, at_least");
}

}  // namespace

std::string EncodePullQuery(const PullQuery& query) {
  v1::PullRequest request;
  switch (query.selector.kind) {
    case PullSelector::Kind::kExactly: request.set_version(query.selector.value); break;
    case PullSelector::Kind::kLatest: request.set_latest(true); break;
    case PullSelector::Kind::kLag: request.set_lag(query.selector.value); break;
    case PullSelector::Kind::kAtLeast: request.set_at_least(query.selector.value); break;
  }
  request.set_layout_hash(query.layout_hash);
  request.set_lineage(query.lineage.value());
  request.set_averaged(query.selector.averaged);
  request.set_element_type(ToProto(query.selector.type));
  return request.SerializeAsString();
}

absl::StatusOr<PullQuery> ParsePullQuery(absl::string_view bytes) {
  v1::PullRequest request;
  if (!ParseMessage(bytes, &request)) {
    return absl::InvalidArgumentError("PullRequest: not a valid protobuf message");
  }
  CONADV_ASSIGN_OR_RETURN(const PullSelector selector, SelectorOf(request));
  PullQuery query;
  CONADV_ASSIGN_OR_RETURN(const ElementType type, FromProto(request.element_type()));
  query.selector = selector.Averaged(request.averaged()).As(type);
  query.layout_hash = request.layout_hash();
  query.lineage = Lineage(request.lineage());
  return query;
}

std::string EncodePullHeader(const PullHeader& header) {
  v1::PullHeader message;
  message.set_version(header.version.value());
  message.set_incarnation(header.incarnation.value());
  message.set_size(header.size);
  message.set_layout_hash(header.layout_hash);
  message.set_lineage(header.lineage.value());
  message.set_element_type(ToProto(header.type));
  return message.SerializeAsString();
}

absl::StatusOr<PullHeader> ParsePullHeader(absl::string_view bytes) {
  v1::PullHeader message;
  if (!ParseMessage(bytes, &message)) {
    return absl::InvalidArgumentError("the pull's header is not protobuf");
  }
  CONADV_ASSIGN_OR_RETURN(const ElementType type, FromProto(message.element_type()));
  return PullHeader{Version(message.version()), Incarnation(message.incarnation()), message.size(),
                    message.layout_hash(),      Lineage(message.lineage()),         type};
}

}  // namespace conadv
