// SPDX-License-Identifier: Apache-2.0
#include "common/protocol/pull_message.h"

#include "common/wire/parse_message.h"
#include "conadv/v1/parameter_server.pb.h"

namespace conadv {

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
  return request.SerializeAsString();
}

absl::StatusOr<PullQuery> ParsePullQuery(absl::string_view bytes) {
  v1::PullRequest request;
  if (!ParseMessage(bytes, &request)) {
    return absl::InvalidArgumentError("PullRequest: not a valid protobuf message");
  }
  PullQuery query;
  query.layout_hash = request.layout_hash();
  query.lineage = Lineage(request.lineage());
  switch (request.selector_case()) {
    case v1::PullRequest::kVersion:
      query.selector = PullSelector::Exactly(Version(request.version()));
      return query;
    case v1::PullRequest::kLatest: query.selector = PullSelector::Latest(); return query;
    case v1::PullRequest::kLag: query.selector = PullSelector::Lag(request.lag()); return query;
    case v1::PullRequest::kAtLeast:
      query.selector = PullSelector::AtLeast(Version(request.at_least()));
      return query;
    case v1::PullRequest::SELECTOR_NOT_SET: break;
  }
  return absl::InvalidArgumentError("selector: set one of version, latest, lag, at_least");
}

std::string EncodePullHeader(const PullHeader& header) {
  v1::PullHeader message;
  message.set_version(header.version.value());
  message.set_incarnation(header.incarnation.value());
  message.set_size(header.size);
  message.set_layout_hash(header.layout_hash);
  message.set_lineage(header.lineage.value());
  return message.SerializeAsString();
}

absl::StatusOr<PullHeader> ParsePullHeader(absl::string_view bytes) {
  v1::PullHeader message;
  if (!ParseMessage(bytes, &message)) {
    return absl::InvalidArgumentError("the pull's header is not protobuf");
  }
  return PullHeader{Version(message.version()), Incarnation(message.incarnation()), message.size(),
                    message.layout_hash(), Lineage(message.lineage())};
}

}  // namespace conadv
